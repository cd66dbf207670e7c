import type { Temporal } from 'temporal-polyfill'
import type { Broker } from '../ports/broker.ts'
import type { Ports } from '../ports/ports.ts'
import type { Schedule } from '../schedule.ts'
import type { AccountId } from '../tokens/account-id.ts'
import type { AccountState } from '../tokens/account-state.ts'
import type { RunReport } from '../tokens/outcome.ts'
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
  readonly #running = new Set<string>()
  #watched: readonly Watched[] = []
  #checking: Promise<void> | undefined
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
    await Promise.all([this.#first, this.scheduler.idle(), this.#checking])
  }

  async #run(broker: Broker): Promise<void> {
    const { ports, onEvent, around = (run) => run() } = this.#options
    const { signal } = this.#stopping
    if (signal.aborted || this.#running.has(broker.id)) return
    this.#running.add(broker.id)
    try {
      if (!(await hasAccounts(broker, ports))) return
      await around(async () => {
        onEvent({ event: 'run_started', broker })
        const report = await runHere({ broker, signal }, ports)
        await this.#watch(broker)
        onEvent({ event: 'run_finished', broker, report })
      })
    } finally {
      this.#running.delete(broker.id)
    }
  }

  async #watch(broker: Broker): Promise<void> {
    const { ports } = this.#options
    const others = this.#watched.filter((watched) => watched.broker !== broker)
    this.#watched = [...others, ...(await livesOf(broker, ports))]
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

async function livesOf(broker: Broker, { states, clock }: Ports): Promise<readonly Watched[]> {
  const now = clock.now().epochMilliseconds
  const lives: Watched[] = []
  try {
    for await (const { account, accessToken, settings } of states.list(broker.id)) {
      const expiresAt = settings.managedBy === undefined ? accessToken?.expiresAt : undefined
      if (expiresAt && expiresAt.epochMilliseconds > now) lives.push({ broker, account, expiresAt })
    }
  } catch {
    // The run has told of a broken store; the next one looks again.
  }
  return lives
}
