import { sessionOf } from '../../../markets/session.ts'
import { localInstant } from '../../../model/time/local-time.ts'
import { isMarketNear } from '../token/due.ts'
import { loginHelpsFrom } from '../token/login-helps.ts'
import { type Decision, type Situation, stop } from './decision.ts'
import { firstOf } from './first-of.ts'

/** Why no grant is left. */
interface Exhausted {
  readonly reason: string
  /** Whether the published token still works. */
  readonly live: boolean
}

/** Says who can help now; `undefined` where another policy has to say it. */
type PersonPolicy = (situation: Situation, exhausted: Exhausted) => Decision | undefined

/** Asked in this order; the first that answers decides. All are pure. */
export const PERSON_POLICIES = {
  nobodyCanLogIn,
  liveFarFromOpen,
  liveAndTooEarly,
  tooEarly,
} as const satisfies Readonly<Record<string, PersonPolicy>>

/** Who has to act when no grant is left: somebody who logs in, now or later, or the operator. Pure. */
export function askPerson(situation: Situation, exhausted: Exhausted): Decision {
  const decision = firstOf<Parameters<PersonPolicy>, Decision>(PERSON_POLICIES, situation, exhausted)
  return decision ?? { action: 'ask', reason: exhausted.reason }
}

function nobodyCanLogIn({ broker, state }: Situation, { reason }: Exhausted): Decision | undefined {
  if (broker.login) return undefined
  return stop(reason, `check the stored credentials: tokenkeeper setup ${state.account}`)
}

/** Nobody is asked at night, on a weekend or on a holiday for a token that still lives. */
function liveFarFromOpen(situation: Situation, { reason, live }: Exhausted): Decision | undefined {
  const session = sessionOf(situation.broker, situation.state.settings)
  if (!live || !session || isMarketNear(session, situation.now)) return undefined
  return { action: 'fresh', reason: `${reason}; a person is asked from three hours before the open` }
}

function liveAndTooEarly(
  { broker, state, now }: Situation,
  { reason, live }: Exhausted,
): Decision | undefined {
  const from = live && loginHelpsFrom(broker, state, now)
  if (!from) return undefined
  return {
    action: 'fresh',
    reason: `${reason}; a login helps from ${localInstant(from, broker.session.timeZone)}`,
  }
}

/** A login made too early gives a token that is dead when the market opens: nobody is asked for it. */
function tooEarly({ broker, state, now }: Situation, { reason }: Exhausted): Decision | undefined {
  const from = loginHelpsFrom(broker, state, now)
  return from && { action: 'ask_later', reason, from }
}
