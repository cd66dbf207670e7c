import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { iiflXts } from '../../../lib/brokers/iifl-xts/iifl-xts.ts'
import { openDatabase } from '../../../lib/local/database.ts'
import type { LocalDatabase } from '../../../lib/local/local-database.ts'
import { sqliteStateStore } from '../../../lib/local/sqlite-state-store.ts'
import { sqliteTokenVault } from '../../../lib/local/sqlite-token-vault.ts'
import { parseAccountId } from '../../../lib/model/account-id.ts'
import { decodeAccountState } from '../../../lib/model/account-state.ts'
import { IiflXtsSimulator } from '../../../lib/simulators/iifl-xts/iifl-xts-simulator.ts'
import { shown } from '../../support/shown.ts'
import { World } from '../../support/world.ts'
import { OF_0_1 } from './support/of-0.1.ts'

const STORE = new URL('from-0.1/store.db', import.meta.url)
const KEY = Buffer.alloc(32, 1)
const APP = {
  product: 'interactive',
  appKey: 'SIMXTSAPPKEY',
  secretKey: 'INVENTED-SECRET',
  userId: 'SIMUSER1',
} as const

test('a record of 0.1 has every field as it was', () => {
  const record: unknown = JSON.parse(readFileSync(new URL('from-0.1/record.json', import.meta.url), 'utf8'))
  expect(record).not.toHaveProperty('format')
  const decoded = decodeAccountState(record, { name: 'fyers', fix: '' })
  expect(shown(decoded)).toEqual(shown(OF_0_1))
})

describe('a local store of 0.1', () => {
  const account = parseAccountId('iifl-xts')
  let folder: string
  let database: LocalDatabase
  let world: World

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-from-'))
    copyFileSync(STORE, join(folder, 'store.db'))
    database = openDatabase(join(folder, 'store.db'))
    world = new World('2026-11-24T07:35:00+05:30')
    const vault = sqliteTokenVault(database, KEY, world.clock)
    world.ports = { ...world.ports, vault, states: sqliteStateStore(database) }
  })

  afterEach(async () => {
    await world.close()
    database.close()
    rmSync(folder, { recursive: true })
  })

  test('is opened with every field as it was', async () => {
    const records = [await world.ports.states.get(OF_0_1.account)]
    for await (const state of world.ports.states.list('fyers')) records.push(state)
    expect(records.map(shown)).toEqual([shown(OF_0_1), shown(OF_0_1)])
  })

  test('takes the run of the next morning, which keeps what it does not change', async () => {
    const before = await world.ports.states.get(account)
    expect(before).toMatchObject({ revision: 3, generation: 1, settings: { nickname: 'Invented' } })
    await world.serve(new IiflXtsSimulator(world.clock, [APP]))
    const { report } = await world.run(iiflXts)
    expect(report.results).toMatchObject([{ account: 'iifl-xts', outcome: 'refreshed', userID: 'SIMUSER1' }])
    const after = await world.ports.states.get(account)
    expect(after).toMatchObject({ generation: 2, userId: 'SIMUSER1', settings: { nickname: 'Invented' } })
    expect(after?.accessToken?.expiresAt.toString()).toBe('2026-11-25T02:00:00Z')
  })
})
