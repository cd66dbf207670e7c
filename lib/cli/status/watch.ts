import { setTimeout as pause } from 'node:timers/promises'
import { Temporal } from 'temporal-polyfill'
import type { AccountStatus } from '../../accounts/account-status.ts'
import { TokenkeeperError } from '../../model/errors.ts'
import { localInstant } from '../../model/time/local-time.ts'
import type { Composition } from '../backend/composition.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import { interrupted } from '../terminal/interrupted.ts'
import { LiveRegion } from '../terminal/live-region.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { type Entry, NOTHING, statusText } from './status-text.ts'

/** The stores of this machine cost nothing to read; each look at a table on AWS is a request. */
const USUAL_SECONDS = { local: 2, aws: 10 } as const

export interface Watch {
  readonly read: () => Promise<readonly Entry[]>
  /** Between two looks. @default - 2, or 10 on AWS */
  readonly seconds: number | undefined
  readonly composition: Pick<Composition, 'backend' | 'ports'>
  readonly terminal: Terminal
}

/**
 * `tokenkeeper status --watch`: a view that is drawn again in place, or piped a line for each account that has changed
 * (with --json an object on a line). Asks no broker. Ends at Ctrl-C, or when nobody reads any more. Throws what is no
 * passing fault of the stores.
 */
export async function watch({ read, seconds, composition, terminal }: Watch): Promise<number> {
  const { backend, ports } = composition
  const every = seconds ?? USUAL_SECONDS[backend]
  const stop = new AbortController()
  void interrupted().then(() => stop.abort())
  // Whoever read the other end of the pipe has gone.
  process.stdout.on('error', () => stop.abort())
  const view = terminal.live ? new LiveView(terminal, every) : new Changes(terminal)
  try {
    while (!stop.signal.aborted) {
      try {
        view.show(await read(), ports.clock.now())
      } catch (error) {
        if (!(error instanceof TokenkeeperError && error.retryable)) throw error
        view.fault(error.message)
      }
      await pause(every * 1_000, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  } finally {
    view.close()
  }
  return EXIT.ok
}

interface View {
  show(entries: readonly Entry[], now: Temporal.Instant): void
  fault(message: string): void
  close(): void
}

/** The whole status, in place. */
class LiveView implements View {
  readonly #terminal: Terminal
  readonly #region: LiveRegion
  readonly #footer: string

  constructor(terminal: Terminal, seconds: number) {
    this.#terminal = terminal
    this.#region = new LiveRegion(terminal)
    this.#footer = terminal.style('dim', `Looking every ${seconds} s, Ctrl-C ends it`)
  }

  show(entries: readonly Entry[]): void {
    const text = entries.length === 0 ? NOTHING : statusText(entries, this.#terminal)
    this.#region.update([...text.split('\n'), '', this.#footer])
  }

  fault(message: string): void {
    this.#region.above(message)
  }

  close(): void {
    this.#region.close({ keep: true })
  }
}

/** What is new since the last look. */
class Changes implements View {
  readonly #terminal: Terminal
  readonly #known = new Map<string, string>()
  #fault: string | undefined

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  show(entries: readonly Entry[], now: Temporal.Instant): void {
    this.#fault = undefined
    for (const [status, timeZone] of entries) {
      const text = JSON.stringify(status)
      if (this.#known.get(status.account) === text) continue
      this.#known.set(status.account, text)
      this.#tell(status, lineOf(status, timeZone, now))
    }
    const present = new Set<string>(entries.map(([{ account }]) => account))
    for (const account of this.#known.keys()) {
      if (present.has(account)) continue
      this.#known.delete(account)
      this.#tell({ account, state: 'removed' }, `${account}  removed`)
    }
  }

  fault(message: string): void {
    if (this.#fault !== message) this.#terminal.note(message)
    this.#fault = message
  }

  close(): void {}

  #tell(told: unknown, line: string): void {
    if (this.#terminal.json) this.#terminal.objectLine(told)
    else this.#terminal.print(line)
  }
}

function lineOf(status: AccountStatus, timeZone: string, now: Temporal.Instant): string {
  const { account, summary, expiresAt, nextAction } = status
  const until =
    expiresAt === null ? '' : `  until ${localInstant(Temporal.Instant.from(expiresAt), timeZone)}`
  return `${localInstant(now, timeZone)}  ${account}  ${summary}${until}  ${nextAction}`
}
