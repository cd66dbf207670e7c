import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../model/account-id.ts'
import { TokenVaultError } from '../model/errors.ts'
import type { SecretName } from '../model/secrets/secret-name.ts'
import { assertOneBatch, assertStorable } from '../model/secrets/vault-limits.ts'
import type { Clock } from '../ports/clock.ts'
import { type StoredSecret, type StoredSecrets, storedValue, type TokenVault } from '../ports/token-vault.ts'
import type { LocalDatabase } from './local-database.ts'

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

interface Row {
  readonly name: SecretName
  readonly version: number
  readonly modified_at: string
  readonly nonce: Uint8Array
  readonly ciphertext: Uint8Array
}

/**
 * The token vault in SQLite. Each value is encrypted by AES-256-GCM under `key` (32 bytes) and bound to its
 * account and name, so that a row moved to another place cannot be opened.
 */
export function sqliteTokenVault(database: LocalDatabase, key: Buffer, clock: Clock): TokenVault {
  const guarded = guard(database)
  const all = database.prepare(
    'SELECT name, version, modified_at, nonce, ciphertext FROM secret WHERE account = ?',
  )
  const put = database.prepare(
    `INSERT INTO secret (account, name, version, modified_at, nonce, ciphertext) VALUES (?, ?, 1, ?, ?, ?)
     ON CONFLICT (account, name) DO UPDATE SET version = version + 1, modified_at = excluded.modified_at,
       nonce = excluded.nonce, ciphertext = excluded.ciphertext
     RETURNING version`,
  )
  const drop = database.prepare('DELETE FROM secret WHERE account = ? AND name = ?')

  return {
    async read(account, names): Promise<StoredSecrets> {
      assertOneBatch(names)
      return guarded('read', () => {
        const wanted = new Set(names)
        const rows = (all.all(account) as unknown as Row[]).filter(({ name }) => wanted.has(name))
        return new Map(rows.map((row) => [row.name, opened(row, account, key)]))
      })
    },
    async write(account, name, value) {
      assertStorable(name, value)
      return guarded('write', () => {
        const nonce = randomBytes(NONCE_BYTES)
        const cipher = createCipheriv(CIPHER, key, nonce).setAAD(bindingOf(account, name))
        const ciphertext = Buffer.concat([
          cipher.update(value.reveal(), 'utf8'),
          cipher.final(),
          cipher.getAuthTag(),
        ])
        const row = put.get(account, name, clock.now().toString(), nonce, ciphertext) as { version: number }
        return { version: row.version }
      })
    },
    async remove(account, name) {
      guarded('write', () => drop.run(account, name))
    },
  }
}

function opened(row: Row, account: AccountId, key: Buffer): StoredSecret {
  const ciphertext = Buffer.from(row.ciphertext)
  // Without the length Node would accept a shorter tag, which is easier to forge.
  const decipher = createDecipheriv(CIPHER, key, row.nonce, { authTagLength: TAG_BYTES })
    .setAAD(bindingOf(account, row.name))
    .setAuthTag(ciphertext.subarray(-TAG_BYTES))
  const text = Buffer.concat([
    decipher.update(ciphertext.subarray(0, -TAG_BYTES)),
    decipher.final(),
  ]).toString('utf8')
  return {
    value: storedValue(row.name, text),
    version: row.version,
    modifiedAt: Temporal.Instant.from(row.modified_at),
  }
}

function bindingOf(account: AccountId, name: SecretName): Buffer {
  return Buffer.from(`${account}\n${name}`)
}

function guard(database: LocalDatabase): <T>(during: 'read' | 'write', work: () => T) => T {
  return (during, work) => {
    try {
      return database.use(work)
    } catch (cause) {
      const { says, fix } = database.faultOf(cause) ?? {}
      throw new TokenVaultError(`the local vault could not be used${says ? `: ${says}` : ''}`, {
        during,
        cause,
        fix: fix ?? 'check the key file and the folder named by TOKENKEEPER_HOME: tokenkeeper doctor',
      })
    }
  }
}
