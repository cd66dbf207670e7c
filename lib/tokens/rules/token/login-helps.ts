import type { Temporal } from 'temporal-polyfill'
import { sessionOf } from '../../../markets/session.ts'
import { presentTradingDay } from '../../../markets/trading-day.ts'
import type { AccountState } from '../../../model/account-state.ts'
import { issuedFrom } from '../../../model/expiry/session-model.ts'
import { isBefore } from '../../../model/time/instants.ts'
import type { Broker } from '../../../ports/broker/broker.ts'
import { BEFORE_OPEN_MINUTES, DEAD_EARLY_SECONDS } from './due.ts'

/**
 * From when on a login gives a token that lives past `into`; `undefined` where a login helps now. Nobody is
 * asked before then: on a Friday evening a token that dies in the night helps nobody on Monday. Uses the
 * session model, and the life of the last login's token where the model does not tell. A broker without a
 * market can use a login at any time. Pure.
 *
 * `into`: what the token has to outlive. @default - the open of the session that is on, or of the next one
 */
export function loginHelpsFrom(
  broker: Pick<Broker, 'session' | 'tradingSession'>,
  state: Pick<AccountState, 'settings' | 'accessToken'>,
  now: Temporal.Instant,
  into = presentOpen(broker, state, now),
): Temporal.Instant | undefined {
  if (!into) return undefined
  const { session } = broker
  const ceiling = state.settings.maxLifetimeHours ?? session.maxLifetimeHours
  const after = into.add({ seconds: DEAD_EARLY_SECONDS })
  const from = issuedFrom(session.accessToken, after, lifeOfLastLogin(state), ceiling)
  return from && isBefore(now, from) ? from : undefined
}

function presentOpen(
  broker: Pick<Broker, 'tradingSession'>,
  { settings }: Pick<AccountState, 'settings'>,
  now: Temporal.Instant,
): Temporal.Instant | undefined {
  const session = sessionOf(broker, settings)
  return session && presentTradingDay(session, now).opens
}

/** One of less than a morning was cut short by something else, and would have people asked too late. */
function lifeOfLastLogin({
  accessToken: last,
}: Pick<AccountState, 'accessToken'>): Temporal.Duration | undefined {
  if (last?.source !== 'login' && last?.source !== 'approval') return undefined
  const life = last.issuedAt.until(last.expiresAt)
  return life.total('minutes') > BEFORE_OPEN_MINUTES ? life : undefined
}
