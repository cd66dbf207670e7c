import type { ChangedDay, ChangedSession, MarketDays } from '../model/market-days.ts'
import { isMarketName } from '../model/market-name.ts'

const TIME = /^\d\d:\d\d$/

/** What is stored, as far as this release can read it. An entry that a later one wrote in another way is passed over. */
export function readMarketDays(stored: unknown): MarketDays {
  const { closed, sessions } = (stored ?? {}) as { readonly closed?: unknown; readonly sessions?: unknown }
  return { closed: entriesOf(closed).filter(isDay), sessions: entriesOf(sessions).filter(isSession) }
}

/** Both together: of a market's day of which `later` says something, nothing else counts. */
export function overridden(earlier: MarketDays, later: MarketDays): MarketDays {
  const said = new Set([...later.closed, ...later.sessions].map(keyOf))
  const left = <Day extends ChangedDay>(days: readonly Day[]): readonly Day[] =>
    days.filter((one) => !said.has(keyOf(one)))
  return {
    closed: [...left(earlier.closed), ...later.closed],
    sessions: [...left(earlier.sessions), ...later.sessions],
  }
}

/** Nothing is said any more of these days. */
export function without(days: MarketDays, taken: readonly ChangedDay[]): MarketDays {
  const gone = new Set(taken.map(keyOf))
  return {
    closed: days.closed.filter((one) => !gone.has(keyOf(one))),
    sessions: days.sessions.filter((one: ChangedSession) => !gone.has(keyOf(one))),
  }
}

function keyOf({ market, date }: ChangedDay): string {
  return `${market} ${date}`
}

function entriesOf(stored: unknown): readonly object[] {
  return Array.isArray(stored) ? stored.filter((one) => typeof one === 'object' && one !== null) : []
}

function isDay(entry: object): entry is ChangedDay {
  const { market, date } = entry as Partial<Record<string, unknown>>
  return isMarketName(String(market)) && typeof date === 'string'
}

function isSession(entry: object): entry is ChangedSession {
  const { opens, closes } = entry as Partial<Record<string, unknown>>
  return isDay(entry) && TIME.test(String(opens)) && TIME.test(String(closes))
}
