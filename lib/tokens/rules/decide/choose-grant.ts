import type { Temporal } from 'temporal-polyfill'
import { sessionOf } from '../../../markets/session.ts'
import { loginDeadline } from '../../../markets/trading-day.ts'
import { expiryOf } from '../../../model/expiry/session-model.ts'
import { isAfter } from '../../../model/time/instants.ts'
import { localInstant } from '../../../model/time/local-time.ts'
import type { Grant } from '../../../ports/broker/broker.ts'
import { isBlocking, unresolved } from '../grants/block.ts'
import { attemptAllowedAt } from '../grants/budget.ts'
import { nearLockout } from '../grants/lockout.ts'
import { loginHelpsFrom } from '../token/login-helps.ts'
import { askPerson } from './ask-person.ts'
import { type Decision, type Situation, stop } from './decision.ts'
import { firstOf } from './first-of.ts'

type Instant = Temporal.Instant

/** Minutes from a message to the finished login of somebody who has to look for the telephone first. */
const PERSON_NEEDS_MINUTES = 30
/** A hold that ends within these minutes is waited for, and nobody is asked (I5). */
const SHORT_HOLD_MINUTES = 15

/** Why a renewal is wanted. */
export interface Wanted {
  readonly reason: string
  /** Whether the published token still works. */
  readonly live: boolean
}

/**
 * What speaks against a grant. `passOver`: the next grant is looked at, and the text, if any, is told as a
 * reason. `decision`: the run ends with it.
 */
type Objection = { readonly passOver: string | undefined } | { readonly decision: Decision }

/** Looks for one objection to a grant; `undefined` where there is none. */
type GrantPolicy = (situation: Situation, grant: Grant, wanted: Wanted) => Objection | undefined

/** Asked in this order; the first that objects decides. All are pure. */
export const GRANT_POLICIES = {
  switchedOff,
  secretsMissing,
  refreshTokenDead,
  blocked,
  fateUnknown,
  lockoutNear,
  heldBack,
} as const satisfies Readonly<Record<string, GrantPolicy>>

/** The best grant of the ladder that may be tried now, or who has to act when there is none. Pure. */
export function chooseGrant(situation: Situation, wanted: Wanted): Decision {
  const passedOver: string[] = []
  for (const grant of situation.broker.grants) {
    const objection = firstOf<Parameters<GrantPolicy>, Objection>(GRANT_POLICIES, situation, grant, wanted)
    if (!objection) return { action: 'refresh', reason: wanted.reason, grant }
    if ('decision' in objection) return objection.decision
    if (objection.passOver !== undefined) passedOver.push(objection.passOver)
  }
  return askPerson(situation, { ...wanted, reason: [wanted.reason, ...passedOver].join('; ') })
}

function switchedOff({ broker, state, hosts }: Situation, grant: Grant): Objection | undefined {
  const isOn = grant.enabled?.(state.settings, { ...broker.hosts, ...hosts }) ?? true
  return isOn ? undefined : { passOver: undefined }
}

function secretsMissing({ stored }: Situation, { needs }: Grant): Objection | undefined {
  const missing = needs.filter((name) => !stored.has(name))
  return missing.length > 0 ? { passOver: `no ${missing.join(', ')} stored` } : undefined
}

function refreshTokenDead(situation: Situation, { kind }: Grant): Objection | undefined {
  const deadSince = kind === 'refresh_token' ? refreshTokenExpiry(situation) : undefined
  if (!deadSince || isAfter(deadSince, situation.now)) return undefined
  const { timeZone } = situation.broker.session
  return { passOver: `the refresh token expired ${localInstant(deadSince, timeZone)}` }
}

/**
 * When the stored refresh token dies: as recorded when we saved it; for one stored by somebody else as the
 * token itself and the session model say.
 */
function refreshTokenExpiry({ broker, state, stored }: Situation): Instant | undefined {
  const token = stored.get('refresh_token')
  if (!token) return undefined
  if (state.refreshToken?.version === token.version) return state.refreshToken.expiresAt
  const lifetime = broker.session.refreshToken
  return lifetime && expiryOf(lifetime, { token: token.value, at: token.modifiedAt }).expiresAt
}

/** After a rejected grant the next one is tried; a wrong secret or a refused app ends the run. */
function blocked({ state, stored, now, forcedAt }: Situation, { kind }: Grant): Objection | undefined {
  const block = state.blocks[kind]
  if (!block || !isBlocking(block, stored, { now, isForced: forcedAt !== undefined })) return undefined
  if (block.code === 'grant_rejected') return { passOver: block.reason }
  return { decision: stop(block.reason, block.fix ?? '', block.code) }
}

function fateUnknown({ state, stored }: Situation, grant: Grant): Objection | undefined {
  const ambiguous = unresolved(state, stored)
  if (ambiguous?.grant !== grant.kind) return undefined
  const { repeatsAfterAmbiguity: most } = grant
  if (most === 'budget' || ambiguous.repeats < most) return undefined
  return { passOver: `the fate of the last ${grant.kind} grant is unknown, and it must not be sent again` }
}

function lockoutNear({ broker, state, stored }: Situation, grant: Grant): Objection | undefined {
  const danger = nearLockout(broker, grant, state, stored)
  if (!danger) return undefined
  if (broker.login) return { passOver: `${danger.reason}; ${danger.fix}` }
  return { decision: stop(danger.reason, danger.fix, 'human_action') }
}

/** A hold is waited for, unless it ends too late for the market and a person can log in instead. */
function heldBack(situation: Situation, { budget }: Grant, { live }: Wanted): Objection | undefined {
  const { broker, state, now } = situation
  const hold = attemptAllowedAt(budget, state, broker.session.timeZone, now)
  if (!hold) return undefined
  const isHopeless = hold.dayIsSpent || isTooLate(hold.at, situation)
  if (isHopeless && !live && broker.login && !loginHelpsFrom(broker, state, now)) {
    return { passOver: hold.reason }
  }
  return { decision: { action: 'wait', reason: hold.reason, until: hold.at, live } }
}

/** Whether an attempt at that time leaves a person no time before the open, or the open market without a token. */
function isTooLate(at: Instant, { broker, state, now }: Situation): boolean {
  const opens = loginDeadline(sessionOf(broker, state.settings), now)
  const latest = opens ? opens.subtract({ minutes: PERSON_NEEDS_MINUTES }) : now
  return isAfter(at, latest) && isAfter(at, now.add({ minutes: SHORT_HOLD_MINUTES }))
}
