import { EXIT } from './exit-codes.ts'

/** Whoever read a pipe has gone, as `head` does, or a terminal was closed. */
const READER_GONE: ReadonlySet<string | undefined> = new Set(['EPIPE', 'EIO'])

/**
 * Lets no command die of what it prints: a run whose reader has gone does its accounts all the same, and its exit code
 * is the run's. Output that is lost for another reason, such as a full disk, is told on stderr and costs the exit
 * code 0, since somebody waits for it. For the whole process, from its start.
 */
export function surviveLostOutput({ stdout, stderr } = process): void {
  let told = false
  stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (told || READER_GONE.has(code)) return
    told = true
    stderr.write(`Error: what this command prints could not be written (${code})\n`)
    process.once('exit', () => {
      process.exitCode ||= EXIT.fault
    })
  })
  // There is nowhere left to say so.
  stderr.on('error', () => undefined)
}
