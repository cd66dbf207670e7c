import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Each entry brings the schema one version up; never edit one that was released, add the next. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE secret (
     account TEXT NOT NULL,
     name TEXT NOT NULL,
     version INTEGER NOT NULL,
     modified_at TEXT NOT NULL,
     nonce BLOB NOT NULL,
     ciphertext BLOB NOT NULL,
     PRIMARY KEY (account, name)
   ) STRICT;
   CREATE TABLE account_state (
     broker TEXT NOT NULL,
     account TEXT NOT NULL PRIMARY KEY,
     revision INTEGER NOT NULL,
     record TEXT NOT NULL
   ) STRICT;
   CREATE INDEX account_state_by_broker ON account_state (broker, account);`,
  `CREATE TABLE api_key (
     id TEXT NOT NULL PRIMARY KEY,
     created_at INTEGER NOT NULL,
     record TEXT NOT NULL
   ) STRICT;`,
]

/** How long a writer waits for another process before it gives up, in milliseconds. */
const BUSY_TIMEOUT_MS = 5_000

/**
 * Opens the local store and brings its schema up to date. Several processes may have it open: WAL lets them
 * read while one writes. `:memory:` gives a store that ends with the process.
 */
export function openDatabase(path: string): DatabaseSync {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const database = new DatabaseSync(path)
  if (path !== ':memory:') chmodSync(path, 0o600)
  database.exec(
    `PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;`,
  )
  migrate(database)
  return database
}

/** Whether anything is stored in the vault, which only its key opens. */
export function hasSecrets(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM secret LIMIT 1').get() !== undefined
}

function migrate(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
      user_version: number
    }
    if (version > MIGRATIONS.length) {
      throw new Error(
        `this store was written by a newer version (schema ${version}, known ${MIGRATIONS.length})`,
      )
    }
    for (const migration of MIGRATIONS.slice(version)) database.exec(migration)
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`)
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}
