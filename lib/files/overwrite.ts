import { closeSync, fchmodSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeFileSync } from 'node:fs'

export const OWNER_ONLY = 0o600

/** What a file that is a mount of its own answers to a rename, or a folder in which nothing can be made. */
const IN_PLACE_ONLY: ReadonlySet<string | undefined> = new Set(['EBUSY', 'EXDEV', 'EROFS', 'EACCES', 'EPERM'])

/** Whether no new file can take a file's place, as where a container has the one file mounted, but it may be written. */
export function isInPlaceOnly(error: unknown): boolean {
  return IN_PLACE_ONLY.has((error as NodeJS.ErrnoException).code)
}

/**
 * Writes a file where it lies, each character of `text` as one byte. It is closed to others first. A reader at this
 * very moment may see part of it: only for what nothing can take the place of. Throws what the file system says.
 */
export function overwrite(path: string, text: string): void {
  const file = openSync(path, 'r+')
  try {
    if (process.platform !== 'win32' && (fstatSync(file).mode & 0o777) !== OWNER_ONLY) {
      fchmodSync(file, OWNER_ONLY)
    }
    writeFileSync(file, text, 'latin1')
    ftruncateSync(file, text.length)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
