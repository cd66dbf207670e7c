import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../lib/local/database.ts'
import type { LocalDatabase } from '../../lib/local/local-database.ts'
import { LocalService } from '../../lib/local/local-service.ts'
import { sqliteStateStore } from '../../lib/local/sqlite-state-store.ts'
import { sqliteTokenVault } from '../../lib/local/sqlite-token-vault.ts'
import { vaultKey } from '../../lib/local/vault-key.ts'
import { parseSchedule } from '../../lib/markets/schedule.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import type { AccountResult } from '../../lib/model/outcome.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import { RotabrokerSimulator, rotabroker } from '../support/rotating-broker.ts'
import { World } from '../support/world.ts'

let world: World
let folder: string
let home: string
let database: LocalDatabase
let simulator: RotabrokerSimulator
let service: LocalService
let account: AccountId
let ended: AccountResult[]

beforeEach(async () => {
  world = new World()
  folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-vanished-'))
  home = join(folder, 'home')
  database = openDatabase(join(home, 'store.db'))
  const vault = sqliteTokenVault(database, vaultKey(join(home, 'vault.key')), world.clock)
  world.ports = { ...world.ports, vault, states: sqliteStateStore(database) }
  simulator = new RotabrokerSimulator(world.clock)
  await world.serve(simulator)
  account = await world.account('rotabroker', {
    client_id: 'sim-client',
    refresh_token: simulator.login('SIM001'),
  })
  ended = []
  service = new LocalService({
    brokers: [{ broker: rotabroker, schedules: [parseSchedule('rate(15 minutes)', 'UTC')] }],
    ports: world.ports,
    onEvent: (event) => {
      if (event.event === 'run_finished') ended.push(...event.report.results)
    },
  })
  await service.reconcile()
})

afterEach(async () => {
  await service.stop()
  database.close()
  await world.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The next scheduled run, at which the token is due. */
async function nextRun(): Promise<AccountResult | undefined> {
  world.clock.advance({ minutes: 30 })
  service.tick()
  await service.scheduler.idle()
  return ended.at(-1)
}

describe('a home that is served', () => {
  test('is renewed from while it is there', async () => {
    expect(await nextRun()).toMatchObject({ account, outcome: 'refreshed' })
    expect(simulator.exchanges).toBe(2)
  })

  test.each([
    ['was taken away', 'taken away while it was in use', () => rmSync(home, { recursive: true })],
    [
      'was put back from a copy',
      'replaced by another file while it was in use',
      () => {
        cpSync(home, join(folder, 'copy'), { recursive: true })
        rmSync(home, { recursive: true })
        renameSync(join(folder, 'copy'), home)
      },
    ],
  ])('and %s gets no grant sent, and says so', async (_, says, spoil) => {
    spoil()
    expect(await nextRun()).toMatchObject({
      outcome: 'failed',
      code: 'state',
      reason: expect.stringContaining(says),
    })
    expect(simulator.exchanges).toBe(1)
    await expect(world.ports.vault.read(account, ['access_token'])).rejects.toThrow(says)
    await expect(world.ports.vault.write(account, 'access_token', new Secret('sim-token'))).rejects.toThrow(
      says,
    )
  })

  test('that comes back, as after a move, is kept on', async () => {
    renameSync(home, join(folder, 'elsewhere'))
    expect(await nextRun()).toMatchObject({ outcome: 'failed' })
    renameSync(join(folder, 'elsewhere'), home)
    expect(await nextRun()).toMatchObject({ account, outcome: 'refreshed' })
    expect(simulator.exchanges).toBe(2)
  })
})
