import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Temporal } from 'temporal-polyfill'
import { expect, test } from 'vitest'
import { openDatabase } from '../../lib/local/database.ts'
import { sqliteApiKeys } from '../../lib/local/sqlite-api-keys.ts'
import { newApiKey } from '../../lib/model/api-key.ts'
import { apiKeysContract } from '../contracts/api-keys-contract.ts'

const NOW = Temporal.Instant.from('2026-11-23T12:00:00Z')

apiKeysContract('the SQLite store', async () => sqliteApiKeys(openDatabase(':memory:')))

test('a store from before there were API keys is brought up to date, with what it holds', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-keys-'))
  const path = join(folder, 'store.db')
  openDatabase(path).close()
  const older = new DatabaseSync(path)
  older.exec(`DROP TABLE api_key; PRAGMA user_version = 1;
    INSERT INTO account_state VALUES ('fyers', 'fyers', 1, '{}')`)
  older.close()

  const database = openDatabase(path)
  const { key } = newApiKey({ name: 'n', scopes: ['status'], createdAt: NOW })
  await sqliteApiKeys(database).create(key)
  expect(await sqliteApiKeys(database).list()).toEqual([key])
  expect(database.prepare('SELECT account FROM account_state').all()).toEqual([{ account: 'fyers' }])
  database.close()
  rmSync(folder, { recursive: true })
})

test('a store that cannot be written says what to check', async () => {
  const database = openDatabase(':memory:')
  const keys = sqliteApiKeys(database)
  database.exec('PRAGMA query_only = 1')
  const { key } = newApiKey({ name: 'n', scopes: ['status'], createdAt: NOW })
  await expect(keys.create(key)).rejects.toMatchObject({
    code: 'state',
    fix: expect.stringContaining('TOKENKEEPER_HOME'),
  })
})
