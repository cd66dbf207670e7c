import { randomInt } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** The number of the process that writes it, and something of its own. */
const ASIDE = /^([0-9a-f]{8})[0-9a-f]{4}$/

/** The name of a new file beside `target`, in which to write what is then put in its place. */
export function newAside(target: string): string {
  return besides(target) + hex(process.pid, 8) + hex(randomInt(0x10000), 4)
}

/** Removes what writers of `target` left who were killed. Whoever still writes keeps theirs. Never throws. */
export function removeLeftovers(target: string): void {
  const beginning = basename(besides(target))
  for (const name of namesIn(dirname(target))) {
    const [, pid] = (name.startsWith(beginning) && ASIDE.exec(name.slice(beginning.length))) || []
    if (pid === undefined || isWriting(Number.parseInt(pid, 16))) continue
    try {
      rmSync(join(dirname(target), name), { force: true })
    } catch {
      // In a folder that has become read-only it stays as it is; the file itself may still be written.
    }
  }
}

/** Whether another process of that number is alive; this one is never in the middle of a file. */
function isWriting(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** None where the folder cannot be read; whether it can be written is found out by writing. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function besides(target: string): string {
  return join(dirname(target), `.${basename(target)}.`)
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0')
}
