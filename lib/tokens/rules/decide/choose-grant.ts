import { Temporal } from 'temporal-polyfill'
import { loginDeadline } from '../../../markets/trading-day.ts'
import type { AccountState, Ambiguity, GrantBlock } from '../../../model/account-state.ts'
import { isFromTheFuture } from '../../../model/clock-tolerance.ts'
import type { ErrorCode } from '../../../model/errors.ts'
import { expiryOf } from '../../../model/expiry/session-model.ts'
import { isAfter } from '../../../model/instants.ts'
import { localInstant } from '../../../model/local-time.ts'
import type { SecretName } from '../../../model/secret-name.ts'
import type { Broker, Grant } from '../../../ports/broker.ts'
import type { StoredSecrets } from '../../../ports/token-vault.ts'
import { attemptAllowedAt } from '../grants/budget.ts'
import { nearLockout } from '../grants/lockout.ts'
import { secretStamp } from '../grants/secret-stamp.ts'
import { isMarketNear } from '../token/due.ts'
import { loginHelpsFrom } from '../token/login-helps.ts'
import { isOlder } from '../token/older-read.ts'
import type { Decision, Situation } from './decision.ts'

type Instant = Temporal.Instant

/** From a message to a login that has succeeded, with somebody who has to look for the telephone first. */
const PERSON_NEEDS_MINUTES = 30
/** A block that ends by itself ends by the next day, and the longest calendar day of any zone has 25 h. */
const LONGEST_BLOCK_HOURS = 25
/** A hold that ends sooner heals itself: nobody is asked (I5). */
const SHORT_HOLD_MINUTES = 15

/** The best grant of the ladder that may be tried now, or who has to act when there is none. Pure. */
export function chooseGrant(situation: Situation, need: string, live: boolean): Decision {
  const { broker, state, stored, now } = situation
  const forced = situation.forcedAt !== undefined
  const hosts = { ...broker.hosts, ...situation.hosts }
  const loginFrom = loginHelpsFrom(broker, state, now)
  const passedOver: string[] = []
  for (const grant of broker.grants) {
    if (grant.enabled?.(state.settings, hosts) === false) continue
    const missing = grant.needs.filter((name) => !stored.has(name))
    if (missing.length > 0) {
      passedOver.push(`no ${missing.join(', ')} stored`)
      continue
    }
    const deadSince = grant.kind === 'refresh_token' ? refreshTokenExpiry(broker, state, stored) : undefined
    if (deadSince && !isAfter(deadSince, now)) {
      passedOver.push(`the refresh token expired ${localInstant(deadSince, broker.session.timeZone)}`)
      continue
    }
    const block = state.blocks[grant.kind]
    if (block && blocks(block, stored, now, forced)) {
      // A dead grant makes room for the next one; a wrong secret or a refused app stops everything.
      if (block.code !== 'grant_rejected') return stop(block.reason, block.fix ?? '', block.code)
      passedOver.push(block.reason)
      continue
    }
    if (unresolved(state, stored)?.grant === grant.kind && !mayRepeat(grant, state)) {
      passedOver.push(`the fate of the last ${grant.kind} grant is unknown, and it must not be sent again`)
      continue
    }
    const danger = nearLockout(broker, grant, state, stored)
    if (danger) {
      if (!broker.login) return stop(danger.reason, danger.fix, 'human_action')
      passedOver.push(`${danger.reason}; ${danger.fix}`)
      continue
    }
    const hold = attemptAllowedAt(grant.budget, state, broker.session.timeZone, now)
    const isHopeless = hold && (hold.dayIsSpent || isTooLate(hold.at, broker, now))
    if (isHopeless && !live && broker.login && !loginFrom) {
      // That is too late for the market, and a person can log in.
      passedOver.push(hold.reason)
      continue
    }
    if (hold) return { action: 'wait', reason: hold.reason, until: hold.at, live }
    return { action: 'refresh', reason: need, grant }
  }
  const why = passedOver.length > 0 ? `${need}; ${passedOver.join('; ')}` : need
  if (broker.login) {
    const { tradingSession } = broker
    if (live && tradingSession && !isMarketNear(tradingSession, now)) {
      return { action: 'fresh', reason: `${why}; a person is asked from three hours before the open` }
    }
    if (loginFrom && live) {
      const from = localInstant(loginFrom, broker.session.timeZone)
      return { action: 'fresh', reason: `${why}; a login helps from ${from}` }
    }
    return loginFrom ? { action: 'ask_later', reason: why, from: loginFrom } : { action: 'ask', reason: why }
  }
  return stop(why, `check the stored credentials: tokenkeeper setup ${state.account}`)
}

/** Whether an attempt at that time leaves a person no time before the open, or the open market without a token. */
function isTooLate(at: Instant, { tradingSession }: Broker, now: Instant): boolean {
  const opens = loginDeadline(tradingSession, now)
  const latest = opens ? opens.subtract({ minutes: PERSON_NEEDS_MINUTES }) : now
  return isAfter(at, latest) && isAfter(at, now.add({ minutes: SHORT_HOLD_MINUTES }))
}

/** When the stored refresh token dies: as recorded when we saved it, else as the token itself and its model say. */
function refreshTokenExpiry(broker: Broker, state: AccountState, stored: StoredSecrets): Instant | undefined {
  const token = stored.get('refresh_token')
  if (!token) return undefined
  if (state.refreshToken?.version === token.version) return state.refreshToken.expiresAt
  const lifetime = broker.session.refreshToken
  return lifetime && expiryOf(lifetime, { token: token.value, at: token.modifiedAt }).expiresAt
}

/** The ambiguity that still stands: none of the secrets it used has been stored again. */
export function unresolved(state: AccountState, stored: StoredSecrets): Ambiguity | undefined {
  const { ambiguous } = state
  if (!ambiguous) return undefined
  const again = Object.entries(ambiguous.stamps).some(([name, stamp]) =>
    storedAgain(stored, name as SecretName, stamp),
  )
  return again ? undefined : ambiguous
}

function mayRepeat(grant: Grant, state: AccountState): boolean {
  return (
    grant.repeatsAfterAmbiguity === 'budget' || (state.ambiguous?.repeats ?? 0) < grant.repeatsAfterAmbiguity
  )
}

function blocks(block: GrantBlock, stored: StoredSecrets, now: Instant, forced: boolean): boolean {
  if (isOver(block, now)) return false
  if (forced && block.forcible) return false
  // Only another value of what is suspected lifts it: a new refresh token says nothing for a PIN.
  return !Object.entries(block.stamps).some(([name, stamp]) => storedAgain(stored, name as SecretName, stamp))
}

/** Whether a block has ended by itself, or was set by a clock that was ahead and would end too late. */
export function isOver({ until, at }: GrantBlock, now: Instant): boolean {
  if (!until) return false
  // A record of an earlier version does not say when; the longest life there is puts it soonest.
  const since = at ?? until.subtract({ hours: LONGEST_BLOCK_HOURS })
  return !isAfter(until, now) || isFromTheFuture(since, now)
}

/** Whether the secret was stored since its stamp was taken. An older version is SSM's stale answer, and was tried. */
function storedAgain(stored: StoredSecrets, name: SecretName, stamp: string | undefined): boolean {
  const secret = stored.get(name)
  if (secret === undefined || secretStamp(stored, name) === stamp) return false
  const [version, modifiedAt] = stamp?.split('@') ?? []
  return modifiedAt === undefined || !isOlder(secret, Number(version), Temporal.Instant.from(modifiedAt))
}

export function stop(reason: string, fix: string, code: ErrorCode = 'configuration_invalid'): Decision {
  return { action: 'stop', reason, fix, code }
}
