import { createCipheriv, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../lib/local/database.ts'
import type { LocalDatabase } from '../../lib/local/local-database.ts'
import { sqliteTokenVault } from '../../lib/local/sqlite-token-vault.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { tokenVaultContract } from '../contracts/token-vault-contract.ts'

const ACCOUNT = parseAccountId('fyers')
const CANARY = 'canary-sqlite-0123456789'
const clock = new VirtualClock('2026-11-23T07:00:00+05:30')

tokenVaultContract('the SQLite vault', async () => ({
  vault: sqliteTokenVault(openDatabase(':memory:'), randomBytes(32), clock),
  now: () => clock.now(),
}))

describe('the SQLite vault on disk', () => {
  const key = randomBytes(32)
  let folder: string
  let database: LocalDatabase

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-vault-'))
    database = openDatabase(join(folder, 'home', 'store.db'))
  })

  afterEach(() => {
    database.close()
    rmSync(folder, { recursive: true })
  })

  const opened = () => sqliteTokenVault(database, key, clock)

  test('keeps values for the next process, with version and time', async () => {
    await opened().write(ACCOUNT, 'pin', new Secret(CANARY))
    database.close()
    database = openDatabase(join(folder, 'home', 'store.db'))
    const found = (await opened().read(ACCOUNT, ['pin'])).get('pin')
    expect(found?.value.reveal()).toBe(CANARY)
    expect(found?.version).toBe(1)
    expect(found?.modifiedAt.equals(clock.now())).toBe(true)
  })

  test('R2.10 writes no value in clear into any of its files, which only their owner can read', async () => {
    await opened().write(ACCOUNT, 'pin', new Secret(CANARY))
    await opened().write(ACCOUNT, 'pin', new Secret(`${CANARY}-2`))
    const home = join(folder, 'home')
    const files = readdirSync(home).map((name) => join(home, name))
    expect(files).toContain(join(home, 'store.db'))
    for (const file of files) {
      const content = readFileSync(file)
      expect(content.includes(CANARY)).toBe(false)
      expect(content.includes(Buffer.from(CANARY).toString('base64'))).toBe(false)
      expect(statSync(file).mode & 0o077).toBe(0)
    }
    expect(statSync(home).mode & 0o077).toBe(0)
  })

  test('never encrypts one value twice to the same bytes', async () => {
    const bytes = () =>
      Buffer.from(database.prepare('SELECT ciphertext FROM secret').get()?.['ciphertext'] as Uint8Array)
    await opened().write(ACCOUNT, 'pin', new Secret(CANARY))
    const before = bytes()
    await opened().write(ACCOUNT, 'pin', new Secret(CANARY))
    expect(bytes().equals(before)).toBe(false)
  })

  test.each([
    ['moved to another account', `UPDATE secret SET account = 'fyers/other'`],
    ['moved to another name', `UPDATE secret SET name = 'password'`],
    ['changed', `UPDATE secret SET ciphertext = zeroblob(length(ciphertext))`],
    ['cut short', `UPDATE secret SET ciphertext = substr(ciphertext, 1, 4)`],
  ])('does not open a row that was %s', async (_, tamper) => {
    await opened().write(ACCOUNT, 'pin', new Secret(CANARY))
    database.exec(tamper)
    const { account } = database.prepare('SELECT account FROM secret').get() as { account: string }
    await expect(opened().read(parseAccountId(account), ['pin', 'password'])).rejects.toMatchObject({
      code: 'vault_read',
      fix: expect.stringContaining('tokenkeeper doctor'),
    })
  })

  test('does not open a row whose seal is only a few bytes long, which could be guessed', async () => {
    await opened().write(ACCOUNT, 'pin', new Secret(CANARY))
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from('fyers\npin'))
    cipher.final()
    const seal = cipher.getAuthTag().subarray(0, 4)
    database.prepare('UPDATE secret SET nonce = ?, ciphertext = ?').run(nonce, seal)
    await expect(opened().read(ACCOUNT, ['pin'])).rejects.toMatchObject({ code: 'vault_read' })
  })

  test('does not open with another key', async () => {
    await opened().write(ACCOUNT, 'pin', new Secret(CANARY))
    const stranger = sqliteTokenVault(database, randomBytes(32), clock)
    await expect(stranger.read(ACCOUNT, ['pin'])).rejects.toMatchObject({ code: 'vault_read' })
  })

  test('says what to check when the store cannot be written', async () => {
    const vault = opened()
    database.exec('PRAGMA query_only = 1')
    await expect(vault.write(ACCOUNT, 'pin', new Secret(CANARY))).rejects.toMatchObject({
      code: 'vault_write',
      fix: expect.stringContaining('TOKENKEEPER_HOME'),
    })
  })
})
