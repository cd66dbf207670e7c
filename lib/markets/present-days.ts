import type { Temporal } from 'temporal-polyfill'
import { type MarketDays, NO_CHANGES } from '../model/market-days.ts'
import { isBefore } from '../model/time/instants.ts'
import type { MarketDaysStore } from '../ports/market-days.ts'
import type { Ports } from '../ports/ports.ts'
import type { StateStore } from '../ports/state-store.ts'
import { overridden, readMarketDays } from './changed-days.ts'

/** Days are announced days ahead: what is said of one counts within this time everywhere. */
const READ_EVERY_MINUTES = 15
/** After a read that failed. */
const READ_AGAIN_MINUTES = 1

/**
 * What the owner says of single days, as it was read last: `configured` by cdk.json, and stored while it runs, which counts
 * more. Sessions ask for it each time.
 */
export class PresentDays {
  readonly #configured: MarketDays
  #days: MarketDays
  #readAt: Temporal.Instant | undefined
  #readAgainAt: Temporal.Instant | undefined
  #reading: Promise<void> | undefined

  constructor(configured: MarketDays = NO_CHANGES) {
    this.#configured = configured
    this.#days = configured
  }

  readonly now = (): MarketDays => this.#days

  /** Reads what is stored if that is some time ago. Never throws: a run goes on with what it knew. */
  refresh(store: MarketDaysStore, telling: Telling): Promise<void> {
    const now = telling.clock.now()
    const isFresh = this.#readAgainAt && isBefore(now, this.#readAgainAt)
    // A clock that was put back would have it fresh for as long as it was ahead.
    const isAhead = this.#readAt && isBefore(now, this.#readAt)
    if (isFresh && !isAhead) return this.#reading ?? Promise.resolve()
    this.#readAt = now
    this.#readAgainAt = now.add({ minutes: READ_EVERY_MINUTES })
    this.#reading = this.#read(store, telling)
    return this.#reading
  }

  async #read(store: MarketDaysStore, { clock, telemetry }: Telling): Promise<void> {
    try {
      const stored = await store.read()
      this.#days = overridden(this.#configured, readMarketDays(stored?.days))
    } catch (error) {
      this.#readAgainAt = clock.now().add({ minutes: READ_AGAIN_MINUTES })
      const reason = error instanceof Error ? error.message : 'unknown'
      telemetry.warn('what is said of trading days could not be read; what was known of them counts', {
        reason,
      })
    }
  }
}

type Telling = Pick<Ports, 'clock'> & { readonly telemetry: Pick<Ports['telemetry'], 'warn'> }

/**
 * The same records, read along with what is said of trading days: nobody has a record to judge without them. In the same
 * moment, so that it takes no longer.
 */
export function withPresentDays(
  states: StateStore,
  days: PresentDays,
  store: MarketDaysStore,
  telling: Telling,
): StateStore {
  return {
    ...states,
    async *list(broker) {
      const refreshed = days.refresh(store, telling)
      for await (const state of states.list(broker)) {
        await refreshed
        yield state
      }
      await refreshed
    },
    async get(account) {
      const [state] = await Promise.all([states.get(account), days.refresh(store, telling)])
      return state
    },
  }
}
