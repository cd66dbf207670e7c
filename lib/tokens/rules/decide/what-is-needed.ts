import type { Temporal } from 'temporal-polyfill'
import type { AccessTokenRecord, Doubt } from '../../../model/account-state.ts'
import { isFromTheFuture } from '../../../model/time/clock-tolerance.ts'
import { isAfter } from '../../../model/time/instants.ts'
import { localInstant } from '../../../model/time/local-time.ts'
import type { StoredSecret } from '../../../ports/token-vault.ts'
import { unresolved } from '../grants/block.ts'
import { type Due, wantsProof, whetherDue } from '../token/due.ts'
import { pendingIn } from '../token/pending-token.ts'
import { isProvable } from '../token/provable.ts'
import { isProvenNow } from '../token/proven-now.ts'
import type { Situation } from './decision.ts'
import { firstOf } from './first-of.ts'

type Instant = Temporal.Instant

/** What the access token of an account needs. */
export interface TokenNeed {
  readonly kind: 'fresh' | 'probe' | 'publish_pending' | 'renew'
  readonly reason: string
  /** Whether the published token still works, as far as is known. */
  readonly live: boolean
}

/** The stored token that we published and that is on record. */
interface Ours {
  readonly token: StoredSecret
  readonly record: AccessTokenRecord
  readonly due: Due
}

/** A situation with what several policies look at. */
interface Facts extends Situation {
  readonly token: StoredSecret | undefined
  /** Whether a person's wish for a new token has not been satisfied yet. */
  readonly isForced: boolean
  /** Absent where the stored token is none of ours, or what is on record of it cannot be believed. */
  readonly ours: Ours | undefined
}

/** One thing a token can need; nothing where this policy sees no need. */
type TokenPolicy = (facts: Facts) => TokenNeed | undefined

/** In this order; the first that sees a need decides, and a token without any is fresh. Pure, each of them. */
export const TOKEN_POLICIES = {
  keptTokenWaits,
  noneStored,
  refusedByBroker,
  notOurs,
  doubted,
  fateUnknown,
  forced,
  due,
  reported,
  morningProof,
} as const satisfies Readonly<Record<string, TokenPolicy>>

/** What the access token needs. Where the broker cannot be asked whether it lives, a probe is a renewal. Pure. */
export function whatIsNeeded(situation: Situation): TokenNeed {
  const facts = factsOf(situation)
  const need = firstOf<[Facts], TokenNeed>(TOKEN_POLICIES, facts)
  if (!need) return { kind: 'fresh', reason: facts.ours?.due.reason ?? '', live: true }
  const cannotProbe = need.kind === 'probe' && !isProvable(situation.broker, situation.state)
  return cannotProbe ? { ...need, kind: 'renew' } : need
}

function factsOf(situation: Situation): Facts {
  const { broker, state, stored, now, forcedAt } = situation
  const token = stored.get('access_token')
  const { accessToken: record } = state
  const believed = record !== undefined && !isUnbelievable(record, now)
  const ours =
    token && believed && token.version === record.version
      ? { token, record, due: whetherDue(record, broker.session, state.settings, now, broker.tradingSession) }
      : undefined
  const isForced = forcedAt !== undefined && !(believed && satisfies(record, forcedAt))
  return { ...situation, token, isForced, ours }
}

/** A token that was kept and is published now satisfies a wish made before. */
function satisfies({ issuedAt, publishedAt }: AccessTokenRecord, wish: Instant): boolean {
  return isAfter(issuedAt, wish) || isAfter(publishedAt, wish)
}

/** Published or proven by a clock that was ahead, which may have worked out its expiry: only a proof tells what it is worth. */
function isUnbelievable({ publishedAt, provenAt }: AccessTokenRecord, now: Instant): boolean {
  return isFromTheFuture(publishedAt, now) || isFromTheFuture(provenAt, now)
}

function keptTokenWaits({ broker, state, stored, now }: Facts): TokenNeed | undefined {
  const pending = pendingIn(stored, state, now)
  if (!pending) return undefined
  const minted = localInstant(pending.renewal.sentAt, broker.session.timeZone)
  const reason = `the access token issued ${minted} is kept and not proven yet`
  return { kind: 'publish_pending', reason, live: false }
}

function noneStored({ token }: Facts): TokenNeed | undefined {
  return token ? undefined : { kind: 'renew', reason: 'no access token is stored', live: false }
}

/** Probed once already and refused: a second probe would say the same. */
function refusedByBroker({ state, token, isForced, ours }: Facts): TokenNeed | undefined {
  if (state.refusedVersion !== token?.version || (!ours && isForced)) return undefined
  const reason = isForced ? 'forced' : 'the stored access token was refused by the broker'
  return { kind: 'renew', reason, live: false }
}

function notOurs({ ours, isForced }: Facts): TokenNeed | undefined {
  if (ours) return undefined
  if (isForced) return { kind: 'renew', reason: 'forced', live: false }
  return { kind: 'probe', reason: 'the stored access token was not published by this software', live: false }
}

function doubted({ state, ours, now }: Facts): TokenNeed | undefined {
  if (!state.doubt || !ours || ours.due.expired || isProvenNow(ours.record, now)) return undefined
  return { kind: 'probe', reason: doubtReason(state.doubt), live: false }
}

function doubtReason({ by }: Doubt): string {
  const sent =
    by === 'login' || by === 'given' ? 'a login' : by === 'approval' ? 'a request for approval' : 'a renewal'
  return `${sent} may have ended the published access token`
}

/** A lost reply may have left the token alone: asked once, before anything else is sent. */
function fateUnknown({ state, stored, ours, isForced }: Facts): TokenNeed | undefined {
  if (!ours || ours.due.expired || !(ours.due.due || isForced)) return undefined
  if (unresolved(state, stored)?.probed !== false) return undefined
  return { kind: 'probe', reason: 'the fate of the last renewal is unknown', live: true }
}

function forced({ ours, isForced }: Facts): TokenNeed | undefined {
  return ours && isForced ? { kind: 'renew', reason: 'forced', live: !ours.due.expired } : undefined
}

function due({ ours }: Facts): TokenNeed | undefined {
  return ours?.due.due ? { kind: 'renew', reason: ours.due.reason, live: !ours.due.expired } : undefined
}

/**
 * A consumer's report is worth a call where it is about the token that is published now, and that was not proven a
 * moment ago. So however many report at once, and however often, the broker is asked once a minute at most.
 */
function reported({ state, reported, ours, now }: Facts): TokenNeed | undefined {
  if (!reported || !ours) return undefined
  const isPresent =
    'generation' in reported
      ? reported.generation === state.generation
      : reported.version === ours.record.version
  if (!isPresent || isProvenNow(ours.record, now)) return undefined
  return { kind: 'probe', reason: 'a consumer was refused with the access token', live: true }
}

function morningProof({ broker, state, ours, now }: Facts): TokenNeed | undefined {
  if (!ours || !wantsProof(ours.record, broker, state, now)) return undefined
  return { kind: 'probe', reason: "the access token was last proven long before today's open", live: true }
}
