import type { Temporal } from 'temporal-polyfill'
import { sessionOf } from '../markets/session.ts'
import { presentTradingDay } from '../markets/trading-day.ts'
import type { AccountState } from '../model/account-state.ts'
import { isBefore } from '../model/time/instants.ts'
import { localInstant, timeOn, weekdayTime } from '../model/time/local-time.ts'
import type { Broker, TradingSession } from '../ports/broker/broker.ts'
import { unprovenSince } from '../tokens/rules/token/doubt.ts'
import { loginHelpsFrom } from '../tokens/rules/token/login-helps.ts'
import { tokenStatus } from '../tokens/rules/token/token-status.ts'
import { renewsItself } from './needs.ts'

type Instant = Temporal.Instant

/** Whether a token lasts through a trading session, also as a sentence. */
export interface Coverage {
  readonly covers: boolean
  /** "Covers today's session: yes, until 15:40." */
  readonly sentence: string
}

/**
 * Whether a token lasts through the session that is on, or else the next one; `undefined` where there is no market.
 * Pure.
 */
export function coverage(
  session: TradingSession | undefined,
  expiresAt: Instant,
  now: Instant,
): Coverage | undefined {
  if (!session) return undefined
  const day = presentTradingDay(session, now)
  const today = now.toZonedDateTimeISO(session.timeZone).toPlainDate()
  const which = day.date.equals(today) ? "today's session" : `the next session, ${dayOf(day.date)}`
  const dies = localInstant(expiresAt, session.timeZone)
  const time = (instant: Instant): string => timeOn(instant, day.date, session.timeZone)
  if (!isBefore(expiresAt, day.closes)) {
    return { covers: true, sentence: `Covers ${which}: yes, until ${time(day.closes)}.` }
  }
  const reached = isBefore(day.opens, expiresAt)
  const before = reached ? `the close at ${time(day.closes)}` : `the open at ${time(day.opens)}`
  return { covers: false, sentence: `Covers ${which}: no, it dies ${dies}, before ${before}.` }
}

/**
 * When this account needs a person again, as a sentence: "Next login: before Tue 24 Nov 09:15 IST." Where it
 * is for the next session and a login now would not help: "…, from Tue 06:00 on." Pure.
 */
export function nextNeed(broker: Broker, state: AccountState, now: Instant): string {
  const { session } = broker
  const trading = sessionOf(broker, state.settings)
  const local = (instant: Instant): string => localInstant(instant, session.timeZone)
  if (renewsItself(broker, state, now)) {
    const end = state.refreshToken?.expiresAt
    return end ? `Renews itself until ${local(end)}; then a login is needed.` : 'Renews itself.'
  }
  const dies = state.accessToken?.expiresAt
  if (!dies) return 'A login is needed.'
  if (!trading) return `Next login: before ${local(dies)}.`
  // The first session that the token does not last through.
  const { date, opens } = presentTradingDay(trading, isBefore(dies, now) ? now : dies)
  const by = isBefore(opens, dies) ? dies : opens
  const isNext = date.equals(presentTradingDay(trading, now).date)
  const from = isNext ? loginHelpsFrom(broker, state, now, by) : undefined
  return `Next login: before ${local(by)}${from ? `, from ${weekdayTime(from, session.timeZone)} on` : ''}.`
}

/** What is known of the old token after a login that failed, as a sentence. Pure. */
export function oldTokenSentence(broker: Broker, state: AccountState, now: Instant): string {
  const { accessToken } = state
  const at = (instant: Instant): string => localInstant(instant, broker.session.timeZone)
  const status = tokenStatus(state, now)
  const since = unprovenSince(state, now)
  if (accessToken && status === 'live') {
    return `The old token is left as it was: proven ${at(accessToken.provenAt)}, valid until ${at(accessToken.expiresAt)}.`
  }
  if (since && status === 'unproven') {
    return `Whether the old token still works is unproven since ${at(since)}: the next run asks ${broker.displayName}.`
  }
  return 'No working token is left: programs that use this account wait for a login.'
}

/** `Tue 24 Nov`. */
function dayOf(date: Temporal.PlainDate): string {
  return date.toLocaleString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' }).replace(',', '')
}
