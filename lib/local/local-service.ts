import type { Temporal } from 'temporal-polyfill'
import type { Schedule } from '../markets/schedule.ts'
import type { AccountId } from '../model/account-id.ts'
import type { AccountState } from '../model/account-state.ts'
import type { RunReport } from '../model/outcome.ts'
import type { Broker } from '../ports/broker/broker.ts'
import type { Ports } from '../ports/ports.ts'
import { runHere } from './local-run.ts'
import { Scheduler } from './scheduler.ts'

export interface ServedBroker {
  readonly broker: Broker
  readonly schedules: readonly Schedule[]
}

/** What the local service tells while it runs. */
export type ServiceEvent =
  | { readonly event: 'run_started'; readonly broker: Broker }
  | { readonly event: 'run_finished'; readonly broker: Broker; readonly report: RunReport }
  /** The published token died and nothing has replaced it yet. */
  | { readonly event: 'expired'; readonly broker: Broker; readonly state: AccountState }

export interface ServiceOptions {
  readonly brokers: readonly ServedBroker[]
  readonly ports: Ports
  readonly onEvent: (event: ServiceEvent) => void
  /** Wraps each run. @default - nothing */
  readonly around?: (run: () => Promise<void>) => Promise<void>
}

/** Milliseconds between tries to prove a pending token. */
const SETTLE_EVERY_MS = 20_000

interface Watched {
  readonly broker: Broker
  readonly account: AccountId
  readonly expiresAt: Temporal.Instant
}

/**
 * What EventBridge and the Lambdas do on AWS, in one process: runs each broker by its schedules, and notices
 * tokens that die.
 */
export class LocalService {
  readonly scheduler: Scheduler
  readonly #options: ServiceOptions
  readonly #stopping = new AbortController()
  /** The run under way of each broker, by the broker's id. */
  readonly #running = new Map<string, Promise<void>>()
  /** Brokers whose next run waits until the one under way has ended. */
  readonly #queued = new Set<string>()
  #watched: readonly Watched[] = []
  #checking: Promise<void> | undefined
  /** Accounts with a pending token. */
  #pending: readonly { readonly broker: Broker; readonly account: AccountId }[] = []
  #settledAtMs = Number.NEGATIVE_INFINITY
  readonly #settling = new Set<Promise<void>>()
  #first: Promise<unknown> | undefined

  constructor(options: ServiceOptions) {
    this.#options = options
    const jobs = options.brokers.map(({ broker, schedules }) => ({
      name: broker.id,
      schedules,
      run: () => this.#run(broker),
    }))
    this.scheduler = new Scheduler(jobs, options.ports.clock)
  }

  /** Runs over every account once, whatever the schedules say, and waits for the end. */
  async reconcile(): Promise<void> {
    this.#first = Promise.all(this.#options.brokers.map(({ broker }) => this.#run(broker)))
    await this.#first
  }

  /**
   * Starts due runs and reports tokens that have died since. To be called several times a second; waits for
   * nothing.
   */
  tick(): void {
    this.scheduler.tick()
    const now = this.#options.ports.clock.now().epochMilliseconds
    if (this.#pending.length > 0 && Math.abs(now - this.#settledAtMs) >= SETTLE_EVERY_MS) {
      this.#settledAtMs = now
      for (const broker of new Set(this.#pending.map((one) => one.broker))) {
        const accounts = this.#pending.filter((one) => one.broker === broker).map(({ account }) => account)
        const settling: Promise<void> = this.#run(broker, accounts).finally(() =>
          this.#settling.delete(settling),
        )
        this.#settling.add(settling)
      }
    }
    const due = this.#watched.filter(({ expiresAt }) => expiresAt.epochMilliseconds <= now)
    if (due.length === 0 || this.#checking) return
    this.#watched = this.#watched.filter((watched) => !due.includes(watched))
    this.#checking = this.#check(due).finally(() => {
      this.#checking = undefined
    })
  }

  /**
   * Reads again when a broker's tokens die, after something else than a run has published one. Never throws.
   */
  async lookAgain(brokerId: string): Promise<void> {
    const served = this.#options.brokers.find(({ broker }) => broker.id === brokerId)
    if (served) await this.#watch(served.broker)
  }

  /** Starts nothing more, and resolves when the work under way has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([this.#first, this.scheduler.idle(), this.#checking, ...this.#settling])
  }

  async #run(broker: Broker, accounts?: readonly AccountId[]): Promise<void> {
    const before = this.#running.get(broker.id)
    if (before) {
      // A pending token is tried again soon anyway, but a scheduled run comes only once, so that one waits.
      if (accounts !== undefined || this.#queued.has(broker.id)) return
      this.#queued.add(broker.id)
      await before.catch(() => undefined)
      this.#queued.delete(broker.id)
      return this.#run(broker)
    }
    const run = this.#work(broker, accounts).finally(() => this.#running.delete(broker.id))
    this.#running.set(broker.id, run)
    await run
  }

  async #work(broker: Broker, accounts: readonly AccountId[] | undefined): Promise<void> {
    const { ports, onEvent, around = (run) => run() } = this.#options
    const { signal } = this.#stopping
    if (signal.aborted || !(await hasAccounts(broker, ports))) return
    await around(async () => {
      onEvent({ event: 'run_started', broker })
      const report = await runHere({ broker, accounts, signal }, ports)
      await this.#watch(broker)
      onEvent({ event: 'run_finished', broker, report })
    })
  }

  async #watch(broker: Broker): Promise<void> {
    const { ports } = this.#options
    const others = this.#watched.filter((watched) => watched.broker !== broker)
    const { lives, pending } = await recordsOf(broker, ports)
    this.#watched = [...others, ...lives]
    this.#pending = [...this.#pending.filter((one) => one.broker !== broker), ...pending]
  }

  /** Reports the tokens that are really dead: another process may have renewed one meanwhile. */
  async #check(due: readonly Watched[]): Promise<void> {
    const { ports, onEvent } = this.#options
    for (const { broker, account } of due) {
      const state = await ports.states.get(account).catch(() => undefined)
      const expiresAt = state?.accessToken?.expiresAt
      if (!state || !expiresAt) continue
      if (expiresAt.epochMilliseconds > ports.clock.now().epochMilliseconds) {
        this.#watched = [...this.#watched, { broker, account, expiresAt }]
      } else {
        onEvent({ event: 'expired', broker, state })
      }
    }
  }
}

/** True also where the store cannot be read: the run then reports that. */
async function hasAccounts(broker: Broker, { states }: Ports): Promise<boolean> {
  try {
    for await (const _ of states.list(broker.id)) return true
    return false
  } catch {
    return true
  }
}

interface Records {
  readonly lives: readonly Watched[]
  readonly pending: readonly { readonly broker: Broker; readonly account: AccountId }[]
}

async function recordsOf(broker: Broker, { states, clock }: Ports): Promise<Records> {
  const now = clock.now().epochMilliseconds
  const lives: Watched[] = []
  const pending: { broker: Broker; account: AccountId }[] = []
  try {
    for await (const state of states.list(broker.id)) {
      const { account, accessToken, settings } = state
      if (state.pending) pending.push({ broker, account })
      const expiresAt = settings.managedBy === undefined ? accessToken?.expiresAt : undefined
      if (expiresAt && expiresAt.epochMilliseconds > now) lives.push({ broker, account, expiresAt })
    }
  } catch {
    // The run has reported the broken store; the next one reads again.
  }
  return { lives, pending }
}
