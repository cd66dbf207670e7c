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

export type ServiceEvent =
  | { readonly event: 'run_started'; readonly broker: Broker }
  | { readonly event: 'run_finished'; readonly broker: Broker; readonly report: RunReport }
  /** The published token died and nothing has replaced it so far. */
  | { readonly event: 'expired'; readonly broker: Broker; readonly state: AccountState }

export interface ServiceOptions {
  readonly brokers: readonly ServedBroker[]
  readonly ports: Ports
  readonly onEvent: (event: ServiceEvent) => void
  /** Something to do around each run. @default - nothing */
  readonly around?: (run: () => Promise<void>) => Promise<void>
}

/** How soon a token that was kept until it can be proven is tried again. */
const SETTLE_EVERY_MS = 20_000

interface Watched {
  readonly broker: Broker
  readonly account: AccountId
  readonly expiresAt: Temporal.Instant
}

/** EventBridge and the Lambdas in one process: runs each broker by its schedules and notices tokens that die. */
export class LocalService {
  readonly scheduler: Scheduler
  readonly #options: ServiceOptions
  readonly #stopping = new AbortController()
  /** The run of each broker that is under way, by its id. */
  readonly #running = new Map<string, Promise<void>>()
  /** Brokers whose scheduled run waits for the one that is under way. */
  readonly #queued = new Set<string>()
  #watched: readonly Watched[] = []
  #checking: Promise<void> | undefined
  /** Accounts whose minted token is not proven yet. */
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

  /** The first look at every account, whatever the schedules say. */
  async reconcile(): Promise<void> {
    this.#first = Promise.all(this.#options.brokers.map(({ broker }) => this.#run(broker)))
    await this.#first
  }

  /** Starts due runs and reports tokens that have died since. To be called every moment. */
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

  /** Watches a broker's tokens anew after something else than a run has published one. Never throws. */
  async lookAgain(brokerId: string): Promise<void> {
    const served = this.#options.brokers.find(({ broker }) => broker.id === brokerId)
    if (served) await this.#watch(served.broker)
  }

  /** Starts nothing further and resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([this.#first, this.scheduler.idle(), this.#checking, ...this.#settling])
  }

  async #run(broker: Broker, accounts?: readonly AccountId[]): Promise<void> {
    const before = this.#running.get(broker.id)
    if (before) {
      // What is kept is tried again soon; a scheduled run comes but once.
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

  /** Another process may have renewed it in the meantime. */
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

/** A store that cannot be read is left for the run to report. */
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
    // The run has told of a broken store; the next one looks again.
  }
  return { lives, pending }
}
