import { Temporal } from 'temporal-polyfill'
import { isMarketName, type MarketName } from '../model/market-name.ts'
import { MARKETS } from './markets.ts'

/** From this long before the end an owner is told, which leaves time for a release and its deployment. */
const TOLD_DAYS_BEFORE = 30

/** Days of markets that are known for a short time only, or no longer. */
export interface EndingDays {
  readonly markets: readonly MarketName[]
  /** The last day that is known. */
  readonly until: string
  /** Below 0 once it has passed. */
  readonly daysLeft: number
  /** What that means, without a full stop. */
  readonly says: string
  /** One imperative sentence without a full stop. */
  readonly fix: string
}

/** Of these markets those whose days end within a month, or have ended; one for each last day. Pure. */
export function endingDays(markets: readonly string[], now: Temporal.Instant): readonly EndingDays[] {
  const known = [...new Set(markets)].filter(isMarketName)
  const byEnd = Map.groupBy(known, (market) => MARKETS[market].knownUntil)
  return [...byEnd].flatMap(([until, names]): readonly EndingDays[] => {
    const [first] = names
    if (until === undefined || first === undefined) return []
    const today = now.toZonedDateTimeISO(MARKETS[first].timeZone).toPlainDate()
    const { days } = today.until(Temporal.PlainDate.from(until), { largestUnit: 'days' })
    if (days > TOLD_DAYS_BEFORE) return []
    return [
      {
        markets: names,
        until,
        daysLeft: days,
        says: `the trading days of ${names.join(', ')} are known until ${until}; after that each weekday counts as open, and people are asked on holidays too`,
        fix: `upgrade to a release that has the next year (git pull && npm ci, and npm run deploy on AWS), or say the days yourself: tokenkeeper markets close ${first} ${nextYear(until)}-01-26 --why holiday`,
      },
    ]
  })
}

/** Whether today is a day to say so again: the first one, and each week after it. */
export function isDayToTell({ daysLeft }: EndingDays): boolean {
  return (TOLD_DAYS_BEFORE - daysLeft) % 7 === 0
}

function nextYear(date: string): number {
  return Temporal.PlainDate.from(date).year + 1
}
