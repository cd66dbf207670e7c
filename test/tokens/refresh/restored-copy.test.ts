import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { RotabrokerSimulator, rotabroker } from '../../support/rotating-broker.ts'
import { World } from '../../support/world.ts'

let world: World
let simulator: RotabrokerSimulator
let account: AccountId
let folder: string
let copy: string

/** A store whose copy is a renewal old: the broker has replaced both tokens that are in it. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-copy-'))
  copy = join(folder, 'store.db')
  world = new World()
  simulator = new RotabrokerSimulator(world.clock)
  await world.serve(simulator)
  account = await world.account('rotabroker', { refresh_token: simulator.login('SIM001'), client_id: 'sim' })
  await world.run(rotabroker)
  world.database.prepare('VACUUM INTO ?').run(copy)
  world.clock.advance({ minutes: 1 })
  await world.run(rotabroker, { force: true })
  world.database.prepare('ATTACH ? AS copy').run(copy)
  for (const table of ['secret', 'account_state'])
    world.database.exec(`DELETE FROM ${table}; INSERT INTO ${table} SELECT * FROM copy.${table}`)
  world.clock.advance({ minutes: 1 })
})
afterEach(async () => {
  await world.close()
  rmSync(folder, { recursive: true, force: true })
})

test('a spent refresh token in a restored copy is refused once, and a person is asked once', async () => {
  const forced = await world.run(rotabroker, { force: true })
  expect(forced.report.results).toMatchObject([{ account, outcome: 'awaiting_login' }])
  expect(simulator.reuses).toBe(1)
  world.clock.advance({ minutes: 40 })
  await world.run(rotabroker)
  expect(simulator.reuses).toBe(1)
  expect(world.news).toMatchObject([{ kind: 'login_needed', account }])

  await world.store(account, { refresh_token: simulator.login('SIM001') })
  const healed = await world.run(rotabroker)
  expect(healed.report.results).toMatchObject([{ outcome: 'refreshed', live: true }])
})

test('an access token in a restored copy counts as live until somebody has it proven', async () => {
  const run = await world.run(rotabroker)
  expect(run.report.results).toMatchObject([{ outcome: 'fresh', live: true }])
  const refused = await world.run(rotabroker, { reported: { generation: 1 } })
  expect(refused.report.results).toMatchObject([{ outcome: 'awaiting_login', live: false }])
})
