import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** No step of a deployment takes this long; what hangs is ended. */
const LONGEST_RUN_MS = 80_000

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Surroundings {
  readonly cwd: string
  /** All the variables the process gets: nothing of the shell's leads elsewhere. */
  readonly env: Readonly<Record<string, string>>
  /** Ends the process when the test ends before it. */
  readonly signal: AbortSignal
}

/** Runs one of the project's programs on this Node to its end, with `stdin` as its whole input. */
export async function runNode(
  args: readonly string[],
  { cwd, env, signal }: Surroundings,
  stdin = '',
): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd, env, signal, timeout: LONGEST_RUN_MS })
  // A program that needs no input may be gone before it is written.
  child.stdin.on('error', () => {})
  child.stdin.end(stdin)
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ])
  return { code, stdout, stderr }
}

/** How many processes of a group are alive. */
export function aliveInGroup(processGroup: number): number {
  const all = execFileSync('ps', ['-eo', 'pgid=,stat='], { encoding: 'utf8' }).split('\n')
  // Z: already dead, and only not yet taken note of by its parent.
  const alive = all.map((line) => line.trim().split(/\s+/)).filter(([, state]) => !state?.startsWith('Z'))
  return alive.filter(([group]) => Number(group) === processGroup).length
}
