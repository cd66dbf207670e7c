import { Temporal } from 'temporal-polyfill'
import type { MarketName } from '../model/market-name.ts'
import { isUsDaylightTime, isWeekday } from './days/date-rules.ts'
import { mcx, nse } from './days/indian-exchange.ts'
import { LONDON_HOURS, londonDays } from './days/london.ts'
import type { Market } from './days/market.ts'
import { NEW_YORK_HOURS, newYorkDays } from './days/new-york.ts'
import type { Hours, SpecialDays } from './days/special-day.ts'

/** Since then derivatives of NSE and BSE trade for ten minutes longer (SEBI, closing auction of the cash market). */
const LONGER_FNO = '2026-08-03'

export const MARKETS: Readonly<Record<MarketName, Market>> = {
  'in-equity': nse(() => ({ opens: '09:15', closes: '15:30' })),
  'in-fno': nse((date) => ({ opens: '09:15', closes: date < LONGER_FNO ? '15:30' : '15:40' })),
  'in-currency': nse(() => ({ opens: '09:00', closes: '17:00' })),
  // Its evening follows New York.
  'in-mcx': mcx((date) => ({
    opens: '09:00',
    closes: isUsDaylightTime(Temporal.PlainDate.from(date)) ? '23:30' : '23:55',
  })),
  'in-mcx-cotton': mcx(() => ({ opens: '09:00', closes: '21:00' })),
  'in-mcx-agri': mcx(() => ({ opens: '09:00', closes: '17:00' })),
  'us-equity': byRule('America/New_York', NEW_YORK_HOURS, newYorkDays, 'NYSE Rule 7.2'),
  'gb-equity': byRule('Europe/London', LONDON_HOURS, londonDays, 'the bank holidays of England'),
}

function byRule(timeZone: string, hours: Hours, specialDays: Market['specialDays'], rule: string): Market {
  const source = { source: `by rule: ${rule}`, checked: '2026-11-27' }
  return { timeZone, usual: () => hours, specialDays, sourceOf: () => source }
}

/** Days of years that were asked for: rules and tables are worked out once. */
const known = new Map<string, SpecialDays>()

export function specialDaysOf(name: MarketName, year: number): SpecialDays {
  const key = `${name} ${year}`
  const found = known.get(key) ?? MARKETS[name].specialDays(year)
  known.set(key, found)
  return found
}

/** When a market trades on a day of its own calendar; `undefined` when it does not. */
export function hoursOn(name: MarketName, date: Temporal.PlainDate): Hours | undefined {
  const special = specialDaysOf(name, date.year).get(date.toString())
  if (special && special.hours !== 'closed') return special.hours
  if (special && !special.provisional) return undefined
  return isWeekday(date) ? MARKETS[name].usual(date) : undefined
}
