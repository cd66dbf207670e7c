import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../lib/local/database.ts'
import type { LocalDatabase } from '../../lib/local/local-database.ts'
import { sqliteStateStore } from '../../lib/local/sqlite-state-store.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { changed, newAccountState } from '../../lib/model/account-state.ts'
import { stateStoreContract } from '../contracts/state-store-contract.ts'

const STATE = changed(newAccountState(parseAccountId('fyers')), {})

stateStoreContract('the SQLite store', async () => sqliteStateStore(openDatabase(':memory:')))

describe('the SQLite store on disk', () => {
  let folder: string
  const open: LocalDatabase[] = []

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-states-'))
  })

  afterEach(() => {
    for (const database of open.splice(0)) database.close()
    rmSync(folder, { recursive: true })
  })

  const connect = (): LocalDatabase => {
    const database = openDatabase(join(folder, 'store.db'))
    open.push(database)
    return database
  }

  test('of two connections only one replaces a revision, and both see the result', async () => {
    const [one, other] = [sqliteStateStore(connect()), sqliteStateStore(connect())]
    await one.replace(STATE)
    expect(await other.replace(changed(STATE, { generation: 1 }))).toEqual({ written: true })
    expect(await one.replace(changed(STATE, { generation: 2 }))).toMatchObject({
      written: false,
      current: { generation: 1 },
    })
  })

  test('is written ahead, so that other processes read while one writes', () => {
    expect(connect().prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'wal' })
  })

  test('a store of the current version has its records when it is opened again', async () => {
    await sqliteStateStore(connect()).replace(STATE)
    open.pop()?.close()
    expect(await sqliteStateStore(connect()).get(STATE.account)).toEqual(STATE)
  })

  test('a store of a newer version is left alone', () => {
    connect().exec('PRAGMA user_version = 99')
    expect(() => openDatabase(join(folder, 'store.db'))).toThrow('newer version (schema 99')
  })

  test('a field that only a newer version knows is carried along by this one', async () => {
    const newer = { ...STATE, foreseen: { at: '2026-11-23T07:00:00Z' } }
    const states = sqliteStateStore(connect())
    await states.replace(newer)
    await states.replace(changed((await states.get(STATE.account)) ?? STATE, { generation: 1 }))
    const record = connect().prepare('SELECT record FROM account_state').get() as { record: string }
    expect(JSON.parse(record.record)).toMatchObject({ generation: 1, foreseen: newer.foreseen })
  })

  test('says what to check when the store cannot be written or read', async () => {
    const database = connect()
    const states = sqliteStateStore(database)
    database.exec('PRAGMA query_only = 1')
    const broken = { name: 'StateStoreError', fix: expect.stringContaining('TOKENKEEPER_HOME') }
    await expect(states.replace(STATE)).rejects.toMatchObject(broken)
    database.exec('PRAGMA query_only = 0')
    await states.replace(STATE)
    database.exec(`UPDATE account_state SET record = 'no json'`)
    await expect(states.get(STATE.account)).rejects.toMatchObject(broken)
    await expect(states.list('fyers')[Symbol.asyncIterator]().next()).rejects.toMatchObject(broken)
  })

  test.each([
    [
      '{"account":"fyers","revision":1,"settings":{},"generation":0,"attempts":["soon"],"blocks":{}}',
      'attempts.0 is no instant',
    ],
    ['{"secret":"CANARY', 'it is no JSON'],
    ['"CANARY"', 'it is no group of fields'],
    ['null', 'it is no group of fields'],
    ['[]', 'it is no group of fields'],
  ])('names the account of a record changed to %s, what is wrong and what mends it', async (record, said) => {
    const database = connect()
    const states = sqliteStateStore(database)
    await states.replace(STATE)
    database.prepare('UPDATE account_state SET record = ?').run(record)
    const error = await states.get(STATE.account).catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      name: 'StateStoreError',
      message: `the state record fyers cannot be read: ${said}`,
      fix: expect.stringMatching(
        /DELETE FROM account_state WHERE account = 'fyers'.*: tokenkeeper setup fyers$/,
      ),
    })
    expect(inspect(error)).not.toContain('CANARY')
  })
})
