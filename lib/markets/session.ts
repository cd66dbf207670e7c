import type { Temporal } from 'temporal-polyfill'
import type { AccountSettings } from '../model/account-state.ts'
import { type MarketDays, NO_CHANGES } from '../model/market-days.ts'
import { isMarketName, type MarketName } from '../model/market-name.ts'
import { earlier, later } from '../model/time/instants.ts'
import type { Broker, SessionOfDay, TradingSession } from '../ports/broker/broker.ts'
import { isWeekday } from './days/date-rules.ts'
import type { Hours } from './days/special-day.ts'
import { hoursOn, MARKETS } from './markets.ts'

/**
 * The sessions of these markets: of each day the earliest open and the latest close. Dates are those of the first one's
 * calendar. `days` is what the owner has said since, asked for each time: it may change while a process runs.
 */
export function marketSession(
  markets: readonly MarketName[],
  days: () => MarketDays = () => NO_CHANGES,
): TradingSession {
  const [first] = markets
  // A run asks for the same two days over and over, and time zones take their time.
  let known = new Map<string, SessionOfDay | undefined>()
  let said: MarketDays | undefined
  const on = (date: Temporal.PlainDate): SessionOfDay | undefined => {
    if (said !== days()) known = new Map()
    said = days()
    const key = date.toString()
    const found = known.has(key)
      ? known.get(key)
      : markets.map((market) => sessionOfDay(market, date, days())).reduce(together, undefined)
    known.set(key, found)
    return found
  }
  return {
    markets,
    timeZone: first ? MARKETS[first].timeZone : 'UTC',
    on,
    atMost: (date) =>
      (isWeekday(date) ? markets.map((market) => usualDay(market, date)) : []).reduce(together, on(date)),
    of: (others) => sessionOfMarkets(others, days),
  }
}

/** The same; `undefined` where no market is named. Names that only a later release knows are passed over. */
export function sessionOfMarkets(
  markets: readonly string[],
  days?: () => MarketDays,
): TradingSession | undefined {
  const known = markets.filter(isMarketName)
  return known.length > 0 ? marketSession(known, days) : undefined
}

/** When an account's tokens are needed: by the markets it names, else by those of its broker. */
export function sessionOf(
  { tradingSession }: Pick<Broker, 'tradingSession'>,
  { markets }: Pick<AccountSettings, 'markets'>,
): TradingSession | undefined {
  return markets && tradingSession ? tradingSession.of(markets) : tradingSession
}

/** When a market trades on a day, by what the owner says and else by what is known; `undefined` when it does not. */
export function hoursWith(
  market: MarketName,
  date: Temporal.PlainDate,
  { closed, sessions }: MarketDays,
): Hours | undefined {
  const isOfDay = (day: { readonly market: string; readonly date: string }): boolean =>
    day.market === market && day.date === date.toString()
  if (closed.some(isOfDay)) return undefined
  return sessions.findLast(isOfDay) ?? hoursOn(market, date)
}

function sessionOfDay(
  market: MarketName,
  date: Temporal.PlainDate,
  days: MarketDays,
): SessionOfDay | undefined {
  const hours = hoursWith(market, date, days)
  if (!hours) return undefined
  return instantsOf(market, date, hours)
}

function usualDay(market: MarketName, date: Temporal.PlainDate): SessionOfDay {
  return instantsOf(market, date, MARKETS[market].usual(date))
}

function instantsOf(market: MarketName, date: Temporal.PlainDate, hours: Hours): SessionOfDay {
  const { timeZone } = MARKETS[market]
  const at = (plainTime: string, day = date): Temporal.Instant =>
    day.toZonedDateTime({ timeZone, plainTime }).toInstant()
  const isOvernight = hours.closes <= hours.opens
  return { opens: at(hours.opens), closes: at(hours.closes, isOvernight ? date.add({ days: 1 }) : date) }
}

function together(one: SessionOfDay | undefined, other: SessionOfDay | undefined): SessionOfDay | undefined {
  if (!one || !other) return one ?? other
  return { opens: earlier(one.opens, other.opens), closes: later(one.closes, other.closes) }
}
