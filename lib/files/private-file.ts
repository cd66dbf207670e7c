import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { SubscriberError } from '../model/errors.ts'
import { newAside, removeLeftovers } from './aside.ts'
import { isInPlaceOnly, OWNER_ONLY, overwrite } from './overwrite.ts'

/** Somebody who changes a file so often in a row is no editor. */
const MOST_TRIES = 5

/**
 * Rewrites a file by `change`, which gets its text (`undefined` where there is none, each byte as one character) and
 * gives the new one, or `undefined` to have none. Readers see the old file or the new one, never half of one, and
 * nobody else may read it. A file that stays the same is not touched. Where no new file can take its place, as where a
 * container has this one file mounted, it is written where it lies, and emptied in place of removed.
 *
 * Within a process calls follow each other, since nothing here waits. What another process writes meanwhile is seen
 * and kept, short of the instant between the last look and the rename: the next run that finds the account fresh
 * mends that. Throws SubscriberError.
 */
export function rewrite(path: string, change: (text: string | undefined) => string | undefined): void {
  try {
    const target = targetOf(path)
    removeLeftovers(target)
    for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
      const before = readText(target)
      const after = change(before)
      if (after === before && isPrivate(target)) return
      if (after === undefined) {
        remove(target, before)
        return
      }
      if (replace(target, before, after)) return
    }
  } catch (error) {
    if (error instanceof SubscriberError) throw error
    throw fileFault(path, error)
  }
  throw new SubscriberError(`others keep changing ${path}`, { fix: 'end whatever rewrites it all the time' })
}

/** What a mirror's file holds; `undefined` where there is none. Throws SubscriberError. */
export function readMirrorFile(path: string): string | undefined {
  try {
    return readText(path)
  } catch (error) {
    throw fileFault(path, error)
  }
}

/** Each byte as one character, so that all go back as they came. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Where a link leads, whether or not that is there yet: to replace the link would leave an old token where it pointed.
 * Throws SubscriberError for what is no file.
 */
function targetOf(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined || stat.isFile()) return path
  if (stat.isSymbolicLink()) {
    return existsSync(path)
      ? targetOf(realpathSync(path))
      : resolve(realpathSync(dirname(path)), readlinkSync(path))
  }
  throw new SubscriberError(`${path} is no file`, { fix: 'name a file in mirrors.files' })
}

/** Whether nobody changed the file in between; then the new text is in its place. */
function replace(target: string, before: string | undefined, after: string): boolean {
  const aside = newAside(target)
  try {
    const file = openSync(aside, 'wx', OWNER_ONLY)
    try {
      writeFileSync(file, after, 'latin1')
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    if (readText(target) !== before) return false
    return moved(aside, target)
  } catch (error) {
    if (before === undefined || !isInPlaceOnly(error)) throw error
    if (readText(target) !== before) return false
    overwrite(target, after)
    return true
  } finally {
    rmSync(aside, { force: true })
  }
}

/** Whether the new file was still there to be moved: another container knows no process of this one. */
function moved(aside: string, target: string): boolean {
  try {
    renameSync(aside, target)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

function remove(target: string, before: string | undefined): void {
  try {
    // Not rmSync, whose error of a mounted file has no code.
    unlinkSync(target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    if (!isInPlaceOnly(error)) throw error
    if (before !== '') overwrite(target, '')
  }
}

/** Windows has no such modes; its users' folders are closed by default. */
function isPrivate(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat === undefined || process.platform === 'win32' || (stat.mode & 0o777) === OWNER_ONLY
}

function fileFault(path: string, error: unknown): SubscriberError {
  const { code } = error as NodeJS.ErrnoException
  const folder = dirname(path)
  switch (code) {
    case 'ENOENT':
      return new SubscriberError(
        `${path} cannot be written: its folder, or what the link points to, is missing`,
        {
          fix: `make the folder ${folder}, or correct mirrors.files`,
        },
      )
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new SubscriberError(`${path} cannot be written (${code})`, {
        fix: `make ${folder} writable for the user Tokenkeeper runs as`,
      })
    default:
      return new SubscriberError(`${path} cannot be written (${code ?? 'unknown'})`, {
        fix: 'check the disk and the path in mirrors.files',
      })
  }
}
