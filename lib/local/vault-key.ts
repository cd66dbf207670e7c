import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { newAside, removeLeftovers } from '../files/aside.ts'
import { ConfigurationError } from '../model/errors.ts'

const KEY_BYTES = 32
const OWNER_ONLY = 0o600

/**
 * The key of the local vault (32 bytes), made at the first use. Throws ConfigurationError where others can
 * read the file, since that protects nothing; where it is no key; and where it is missing although the vault
 * `hasValues`, which a new key would not open.
 */
export function vaultKey(path: string, hasValues = false): Buffer {
  if (hasValues && !existsSync(path)) {
    throw new ConfigurationError(`the vault key ${path} is missing`, {
      fix: 'restore it from your backup; without it, remove store.db beside it and set the accounts up again',
    })
  }
  removeLeftovers(path)
  create(path)
  const mode = statSync(path).mode & 0o777
  // Windows has no such mode; its users' folders are closed to others by default.
  if (process.platform !== 'win32' && mode !== OWNER_ONLY) {
    throw new ConfigurationError(`the vault key ${path} has mode ${mode.toString(8)}`, {
      fix: `chmod 600 ${path}`,
    })
  }
  const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64')
  if (key.length !== KEY_BYTES) {
    throw new ConfigurationError(`the vault key ${path} is damaged`, {
      fix: 'restore it from your backup; without it the stored values cannot be opened and must be set up again',
    })
  }
  return key
}

/**
 * Creates the file unless it exists. It is written under another name and then linked, so that no process
 * sees half a key.
 */
function create(path: string): void {
  if (existsSync(path)) return
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const aside = newAside(path)
  writeFileSync(aside, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: OWNER_ONLY, flush: true })
  try {
    linkSync(aside, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(aside)
  }
}
