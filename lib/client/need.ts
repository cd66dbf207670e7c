import { Temporal } from 'temporal-polyfill'
import { presentTradingDay } from '../markets/trading-day.ts'
import { ConfigurationError } from '../model/errors.ts'
import type { TradingSession } from '../ports/broker/broker.ts'

/** How long a token must last. */
export interface TokenLifeNeeded {
  /** Seconds, or a text such as `45s`, `30m`, `2h`, `1h30m`, `1d`. */
  readonly minValidFor?: number | string | undefined
  /** The close of the market's session that is on, or else of the next one. */
  readonly until?: 'close' | undefined
}

const DURATION = /^(?=\d)(?:(\d{1,4})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,8})s)?$/

/** Seconds in a number, or in a text such as `2h`. Throws ConfigurationError. */
export function secondsIn(duration: number | string): number {
  if (typeof duration === 'number' && Number.isFinite(duration) && duration >= 0) return duration
  const match = typeof duration === 'string' ? DURATION.exec(duration) : null
  if (!match) {
    throw new ConfigurationError('this is no time span', {
      fix: 'write seconds as a number, or a text such as 30m, 2h or 1h30m',
    })
  }
  const [days, hours, minutes, seconds] = match.slice(1).map((count) => Number(count ?? 0)) as [
    number,
    number,
    number,
    number,
  ]
  return Temporal.Duration.from({ hours: days * 24 + hours, minutes, seconds }).total('seconds')
}

/**
 * The instant that a token must outlive, the later of both wishes; `undefined` where any live token will do.
 * Throws ConfigurationError for a time span that cannot be read, and for `close` at a broker without a
 * market.
 */
export function neededUntil(
  { minValidFor, until }: TokenLifeNeeded,
  session: TradingSession | undefined,
  now: Temporal.Instant,
): Temporal.Instant | undefined {
  const wishes: Temporal.Instant[] = []
  if (minValidFor !== undefined) {
    wishes.push(now.add({ milliseconds: Math.round(secondsIn(minValidFor) * 1_000) }))
  }
  if (until === 'close') {
    if (!session) {
      throw new ConfigurationError('this account trades on no market, so there is no close', {
        fix: 'say how long the token must live: minValidFor',
      })
    }
    wishes.push(presentTradingDay(session, now).closes)
  }
  return wishes.toSorted(Temporal.Instant.compare).at(-1)
}
