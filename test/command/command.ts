import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { Temporal } from 'temporal-polyfill'
import type { Clock } from '../../lib/ports/clock.ts'
import { type DemoWorld, startDemoWorld } from '../../lib/simulators/demo/demo-world.ts'
import { clockStartingAt } from '../../lib/system-clock.ts'
import { sameDay } from '../support/same-day.ts'
import { COMPILED } from './compiled.ts'

const ROOT = resolve(import.meta.dirname, '../..')
/** The program and its arguments so far: the command, to be followed by its own. */
export const COMMAND = [process.execPath, '--disable-warning=ExperimentalWarning', COMPILED] as const
/** How the command is called from a folder that is no part of the clone. */
export const CALL = `node ${join(ROOT, 'lib/cli/tokenkeeper.mjs')}`

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Monday 07:00 in India when it is made, running on, and moved on by tests. */
class MovedClock implements Clock {
  readonly #start = clockStartingAt(Temporal.Instant.from('2026-11-23T07:00:00+05:30'))
  #minutes = 0

  now(): Temporal.Instant {
    return this.#start.now().add({ minutes: this.#minutes })
  }

  sleep(milliseconds: number): Promise<void> {
    return this.#start.sleep(milliseconds)
  }

  /** For the simulated brokers at once, and for the processes that are started from now on. */
  advance(minutes: number): void {
    this.#minutes += minutes
  }
}

/** The command as real processes, on a home of its own, with the simulated brokers of this test process. */
export class CommandLine {
  readonly folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-test-'))
  readonly home = join(this.folder, 'home')
  readonly clock: MovedClock
  readonly world: DemoWorld

  private constructor(clock: MovedClock, world: DemoWorld) {
    this.clock = clock
    this.world = world
  }

  /** `siteUrl` is where the brokers' apps send browsers back to. */
  static async start({ siteUrl }: { readonly siteUrl?: string } = {}): Promise<CommandLine> {
    const clock = new MovedClock()
    return new CommandLine(clock, await startDemoWorld({ clock, siteUrl }))
  }

  get env(): NodeJS.ProcessEnv {
    const { PATH, HOME, SystemRoot } = process.env
    return {
      PATH,
      NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/node'),
      HOME,
      SystemRoot,
      ...sameDay(),
      TOKENKEEPER_HOME: this.home,
      TOKENKEEPER_NOW: this.clock.now().toString(),
      ...Object.fromEntries(
        Object.entries(this.world.hosts).map(([name, origin]) => [
          name === 'TOKEN_SERVICE' ? 'TOKEN_REFRESH_SERVICE_URL' : `TOKENKEEPER_HOST_${name}`,
          origin,
        ]),
      ),
    }
  }

  spawn(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const [program, ...before] = COMMAND
    return spawn(program, [...before, ...args], {
      env: { ...this.env, ...env },
      cwd: this.folder,
    })
  }

  async run(
    args: readonly string[],
    { stdin = '', env = {} }: { stdin?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<Ended> {
    const child = this.spawn(args, env)
    child.stdin?.end(stdin)
    return ended(child)
  }

  /** A file in a folder of this test's own. */
  file(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text)
    return path
  }

  async close(): Promise<void> {
    await this.world.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** When the process has said so; what it said before this call does not count. */
export async function saying(stream: Readable | null, text: string): Promise<void> {
  let said = ''
  const add = (chunk: unknown): void => {
    said += String(chunk)
  }
  stream?.on('data', add)
  while (!said.includes(text)) await once(stream as Readable, 'data')
  stream?.off('data', add)
}

export async function ended(child: ChildProcess): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, stdout, stderr }
}
