import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { EXIT } from '../terminal/exit-codes.ts'

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const
/** A terminal sends these to all its foreground processes: the command has its own already. */
const FROM_THE_KEYBOARD: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT'])
/** What a process can die of without leaving a core dump, and Node does nothing else about. */
const PLAIN_DEATHS: ReadonlySet<NodeJS.Signals> = new Set([
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGKILL',
  'SIGUSR2',
])
/** After a signal a renewal in progress gets this long to end well: what the broker has issued must be stored. */
const FAREWELL_MS = 5_000

/** How a command ended. */
export interface ChildExit {
  readonly code: number
  readonly signal?: NodeJS.Signals
  /** Set where it could not be started. */
  readonly fault?: string
}

/** Takes the signals of this process: they are the command's while one runs, and end everything while none does. */
export class Signals {
  #child: { kill(signal: NodeJS.Signals): boolean } | undefined
  #first: NodeJS.Signals | undefined
  readonly #handlers = PASSED_ON.map((signal) => [signal, () => this.#take(signal)] as const)
  readonly #atTerminal: boolean
  readonly #note: (text: string) => void

  constructor(note: (text: string) => void, { stdin, stdout, stderr } = process) {
    this.#note = note
    this.#atTerminal = [stdin, stdout, stderr].some(({ isTTY }) => isTTY)
    for (const [signal, handler] of this.#handlers) process.on(signal, handler)
  }

  /** What came while no command was running. */
  get ended(): NodeJS.Signals | undefined {
    return this.#first
  }

  /** Starts a command without a shell and waits for its end. */
  async run([file = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<ChildExit> {
    const { promise, resolve } = Promise.withResolvers<ChildExit>()
    try {
      const child = spawn(file, args, { stdio: 'inherit', env })
      this.#child = child
      child.once('error', (error) => resolve(unstarted(file, error)))
      child.once('exit', (code, signal) =>
        resolve(signal ? { code: codeOf(signal), signal } : { code: code ?? 0 }),
      )
    } catch (error) {
      resolve(unstarted(file, error as Error))
    }
    const exit = await promise
    this.#child = undefined
    return exit
  }

  close(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler)
  }

  /** Gives the exit code of such an end, or dies of the signal, so that whoever waits for us sees the same. */
  async dieOf(signal: NodeJS.Signals): Promise<number> {
    this.close()
    if (PLAIN_DEATHS.has(signal)) {
      process.kill(process.pid, signal)
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
    return codeOf(signal)
  }

  #take(signal: NodeJS.Signals): void {
    if (this.#child) {
      if (!(this.#atTerminal && FROM_THE_KEYBOARD.has(signal))) this.#child.kill(signal)
      return
    }
    if (this.#first) return
    this.#first = signal
    this.#note('Stopping: the command is not started.')
    setTimeout(() => process.exit(codeOf(signal)), FAREWELL_MS).unref()
  }
}

/** As shells count it. */
function codeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}

function unstarted(file: string, error: NodeJS.ErrnoException): ChildExit {
  if (error.code === 'ENOENT') return { code: EXIT.notFound, fault: `${file}: command not found` }
  return { code: EXIT.notExecutable, fault: `${file} cannot be run (${error.code ?? error.name})` }
}
