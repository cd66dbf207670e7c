import { accessSync, constants, statfsSync } from 'node:fs'
import { dirname } from 'node:path'

/** Why a store on this machine cannot be used, and what helps. */
export interface StoreFault {
  readonly says: string
  readonly fix: string
}

/** With less free space SQLite cannot even read: it needs 32 KiB for what its processes share. */
const ROOM_BYTES = 65_536

/**
 * SQLite's result code is in the lower byte (sqlite.org/rescode.html); the upper ones only say where it
 * happened.
 */
const PRIMARY = 0xff
const CODES = { BUSY: 5, LOCKED: 6, READONLY: 8, IOERR: 10, CORRUPT: 11, FULL: 13, CANTOPEN: 14, NOTADB: 26 }

/** The codes that SQLite gives on a full or a read-only disk. */
const UNWRITABLE: ReadonlySet<number | undefined> = new Set([
  CODES.READONLY,
  CODES.IOERR,
  CODES.FULL,
  CODES.CANTOPEN,
])

/** The store's file is gone, or was replaced by another one. */
export class StoreAwayError extends Error {
  readonly fault: StoreFault

  constructor(fault: StoreFault) {
    super(fault.says)
    this.fault = fault
  }
}

/** Whether another process keeps the store to itself. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error)
  return code === CODES.BUSY || code === CODES.LOCKED
}

/** Whether an error may only mean that nothing can be written. */
export function isUnwritable(error: unknown): boolean {
  return UNWRITABLE.has(codeOf(error)) || (error as NodeJS.ErrnoException).code === 'EROFS'
}

/**
 * The cause of an error of a store at `path` in words; `undefined` where neither the store nor the disk is at
 * fault.
 */
export function storeFault(error: unknown, path: string): StoreFault | undefined {
  if (error instanceof StoreAwayError) return error.fault
  const folder = dirname(path)
  switch (codeOf(error)) {
    case CODES.FULL:
      return full(folder)
    case CODES.BUSY:
    case CODES.LOCKED:
      return {
        says: 'another process has kept it to itself for seconds',
        fix: 'end a tokenkeeper process that hangs, and try again',
      }
    case CODES.CORRUPT:
    case CODES.NOTADB:
      return { says: `${path} is damaged`, fix: `restore ${folder} from your backup` }
    case CODES.READONLY:
    case CODES.IOERR:
    case CODES.CANTOPEN:
      return faultOfFolder(folder) ?? unknown(error, folder)
    default:
      return faultOfSystem(error, folder)
  }
}

function codeOf(error: unknown): number | undefined {
  const { errcode } = (error ?? {}) as { readonly errcode?: number }
  return errcode === undefined ? undefined : errcode & PRIMARY
}

/**
 * SQLite says "cannot open" in all these cases; the folder tells them apart. `undefined` where it shows
 * nothing wrong.
 */
function faultOfFolder(folder: string): StoreFault | undefined {
  try {
    accessSync(folder, constants.W_OK)
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize < ROOM_BYTES ? full(folder) : undefined
  } catch (error) {
    return faultOfSystem(error, folder)
  }
}

function faultOfSystem(error: unknown, folder: string): StoreFault | undefined {
  const { code } = (error ?? {}) as NodeJS.ErrnoException
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return full(folder)
    case 'EROFS':
      return {
        says: `the file system of ${folder} is read-only`,
        fix: `mount it so that ${folder} can be written`,
      }
    case 'EACCES':
    case 'EPERM':
      return {
        says: `this user may not read and write ${folder}`,
        fix: `make ${folder} yours and writable, or run tokenkeeper as its owner`,
      }
    case 'ENOENT':
    case 'ENOTDIR':
      return {
        says: `the folder ${folder} is not there`,
        fix: `bring ${folder} back: mount it, or restore it from your backup`,
      }
    default:
      return undefined
  }
}

function full(folder: string): StoreFault {
  return { says: `the disk of ${folder} is full`, fix: 'make room on it' }
}

function unknown(error: unknown, folder: string): StoreFault {
  const { errstr = 'unknown' } = error as { readonly errstr?: string }
  return {
    says: `SQLite says: ${errstr}`,
    fix: `check the disk and the TOKENKEEPER_HOME folder ${folder}: tokenkeeper doctor`,
  }
}
