import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { ConfigurationError } from '../model/errors.ts'
import { hasLog, LocalDatabase } from './local-database.ts'
import { isBusy, isUnwritable } from './store-fault.ts'

/** Each entry raises the schema by one version. Never edit an entry that was released; add the next one. */
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

/** Milliseconds that a writer waits for another process before it gives up. */
const BUSY_TIMEOUT_MS = 5_000
const OWNER_ONLY = 0o600

/**
 * Opens the local store and brings its schema up to date. Several processes may have it open: with WAL they
 * read while one writes. `:memory:` gives a store that ends with the process.
 *
 * A store that is intact but cannot be written, as on a full or a read-only disk, is opened for reading;
 * `unwritable` then says why. Throws ConfigurationError for a store of a newer version, and what SQLite and
 * the file system throw.
 */
export function openDatabase(path: string): LocalDatabase {
  if (path === ':memory:') return prepared(new LocalDatabase(path))
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  let database: LocalDatabase | undefined
  try {
    database = new LocalDatabase(path)
    if ((statSync(path).mode & 0o777) !== OWNER_ONLY) chmodSync(path, OWNER_ONLY)
    return prepared(database)
  } catch (error) {
    const readable = readOnly(path, database, error)
    if (readable !== database && database?.isOpen) database.close()
    if (!readable) throw error
    readable.unwritable = readable.faultOf(error)
    return readable
  }
}

function prepared(database: LocalDatabase): LocalDatabase {
  database.exec(
    `PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;`,
  )
  migrate(database)
  return database
}

/**
 * Opens a store for reading that cannot be written: by the connection there is, else as an unchanging file,
 * unless others may write to it or part of it is still in the log beside it. `undefined` where neither is
 * possible.
 */
function readOnly(
  path: string,
  database: LocalDatabase | undefined,
  error: unknown,
): LocalDatabase | undefined {
  if (!isUnwritable(error) && !isBusy(error)) return undefined
  if (database && isReadable(database)) return database
  if (isBusy(error) || hasLog(path)) return undefined
  const immutable = new LocalDatabase(path, { immutable: true })
  if (isReadable(immutable)) return immutable
  immutable.close()
  return undefined
}

/** Whether the store can be read and has the schema of this version. */
function isReadable(database: LocalDatabase): boolean {
  try {
    return schemaOf(database) === MIGRATIONS.length
  } catch {
    return false
  }
}

/** Whether the vault has any value, which only its present key opens. */
export function hasSecrets(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM secret LIMIT 1').get() !== undefined
}

function migrate(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    const version = schemaOf(database)
    if (version > MIGRATIONS.length) {
      throw new ConfigurationError(
        `the local store was written by a newer version (schema ${version}, known ${MIGRATIONS.length})`,
        { fix: 'use that version of tokenkeeper, or restore the store from a backup made before it' },
      )
    }
    for (const migration of MIGRATIONS.slice(version)) database.exec(migration)
    // Written even where nothing has changed, which shows whether the store can be written at all.
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`)
    database.exec('COMMIT')
  } catch (error) {
    // A full disk has ended the transaction already.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function schemaOf(database: DatabaseSync): number {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  return version
}
