import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDatabase } from '../../../lib/local/database.ts'
import { sqliteStateStore } from '../../../lib/local/sqlite-state-store.ts'
import { sqliteTokenVault } from '../../../lib/local/sqlite-token-vault.ts'
import { vaultKey } from '../../../lib/local/vault-key.ts'
import { parseAccountId } from '../../../lib/model/account-id.ts'
import { changed, newAccountState } from '../../../lib/model/account-state.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import { startSimulator } from '../../../lib/simulators/kit/simulator-server.ts'
import { systemClock } from '../../../lib/system-clock.ts'
import { RotabrokerSimulator } from '../../support/rotating-broker.ts'

const PROCESSES = 4

test('R2.10 I3 twenty callers in four processes make one exchange of a single-use refresh token', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-race-'))
  const simulator = new RotabrokerSimulator(systemClock)
  const server = await startSimulator(simulator, { clock: systemClock })
  try {
    const database = openDatabase(join(folder, 'store.db'))
    const vault = sqliteTokenVault(database, vaultKey(join(folder, 'key')), systemClock)
    const account = parseAccountId('rotabroker')
    await vault.write(account, 'client_id', new Secret('sim-client'))
    await vault.write(account, 'refresh_token', new Secret(simulator.login('SIM001')))
    await sqliteStateStore(database).replace(changed(newAccountState(account), {}))

    const script = new URL('../../support/refresh-once.ts', import.meta.url)
    const processes = Array.from({ length: PROCESSES }, () => fork(script, [folder, server.origin]))
    // All of them leave the start together.
    await Promise.all(processes.map((one) => once(one, 'message')))
    const ends = processes.map((one) => once(one, 'message'))
    for (const one of processes) one.send('go')
    const outcomes = (await Promise.all(ends)).flatMap(([said]) => said as string[])
    expect(outcomes).toHaveLength(PROCESSES * 5)
    expect(outcomes.filter((outcome) => outcome === 'refreshed')).toHaveLength(1)
    expect(new Set(outcomes)).not.toContain('failed')
    expect(simulator.exchanges).toBe(1)
    expect(simulator.reuses).toBe(0)
    const stored = (await vault.read(account, ['refresh_token'])).get('refresh_token')
    expect(stored?.value.reveal()).toBe(simulator.currentOf('SIM001'))
    database.close()
  } finally {
    await server.close()
    rmSync(folder, { recursive: true })
  }
})
