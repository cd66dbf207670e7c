import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ConfigurationError } from '../model/errors.ts'
import { isBusy, storeFault } from './store-fault.ts'

const OWNER_ONLY = 0o600

/** The right to be the only service of a home folder. */
export interface SoleService {
  /** Writes down where this home is served, for another process that wants to serve it. */
  servesAt(url: string): void
  release(): void
}

/**
 * Makes this process the only one that serves a home folder: two would do each run twice and have two login
 * pages. The right is a lock of the operating system on a file, which ends with the process however it ends;
 * the file beside it is for people. Throws ConfigurationError while another process has the lock.
 */
export function soleService(home: string): SoleService {
  const path = join(home, 'serve.lock')
  const about = join(home, 'serve.json')
  const lock = locked(path, home, about)
  // Left over from a service that was killed.
  rmSync(about, { force: true })
  return {
    servesAt: (url) => writeFileSync(about, JSON.stringify({ pid: process.pid, url }), { mode: OWNER_ONLY }),
    release() {
      rmSync(about, { force: true })
      lock.close()
    },
  }
}

/** Takes the lock by SQLite, since Node has no file locks. Throws ConfigurationError. */
function locked(path: string, home: string, about: string): DatabaseSync {
  let lock: DatabaseSync | undefined
  try {
    closeSync(openSync(path, 'a', OWNER_ONLY))
    lock = new DatabaseSync(path)
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (cause) {
    lock?.close()
    if (isBusy(cause)) throw taken(home, about)
    const { says, fix } = storeFault(cause, path) ?? {
      says: `${path} cannot be locked`,
      fix: 'use a local disk',
    }
    throw new ConfigurationError(`the folder ${home} cannot be served: ${says}`, { cause, fix })
  }
}

function taken(home: string, about: string): ConfigurationError {
  const other = readAbout(about)
  const who = other ? `process ${other.pid}, at ${other.url}` : 'a process that is just starting'
  const stop = other ? `stop it first (kill ${other.pid})` : 'wait for it'
  return new ConfigurationError(`another serve runs already for the accounts in ${home}: ${who}`, {
    fix: `use that one, ${stop}, or give this one a folder of its own with --home`,
  })
}

/**
 * The address at which a home is served, or was served before the service was killed; `undefined` where none
 * is known.
 */
export function servedAt(home: string): string | undefined {
  return readAbout(join(home, 'serve.json'))?.url
}

function readAbout(about: string): { readonly pid: number; readonly url: string } | undefined {
  try {
    return JSON.parse(readFileSync(about, 'utf8'))
  } catch {
    return undefined
  }
}
