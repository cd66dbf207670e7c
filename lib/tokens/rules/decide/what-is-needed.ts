import type { Temporal } from 'temporal-polyfill'
import { sessionOf } from '../../../markets/session.ts'
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

/** The stored token, where it is the one we published and have on record. */
interface Ours {
  readonly token: StoredSecret
  readonly record: AccessTokenRecord
  readonly due: Due
}

/** A situation, and what several policies derive from it. */
interface Facts extends Situation {
  readonly token: StoredSecret | undefined
  /** Whether a person's wish for a new token has not been satisfied yet. */
  readonly isForced: boolean
  /** Absent where we did not publish the stored token, or where its record cannot be believed. */
  readonly ours: Ours | undefined
}

/** Looks for one need of a token; `undefined` where it sees none. */
type TokenPolicy = (facts: Facts) => TokenNeed | undefined

/**
 * Asked in this order; the first that sees a need decides, and a token without any is fresh. All are pure.
 */
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

/**
 * What the access token needs. Where the broker has no call that proves a token, a renewal takes the place of
 * a probe. Pure.
 */
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
      ? {
          token,
          record,
          due: whetherDue(record, broker.session, state.settings, now, sessionOf(broker, state.settings)),
        }
      : undefined
  const isForced = forcedAt !== undefined && !(believed && satisfies(record, forcedAt))
  return { ...situation, token, isForced, ours }
}

/** A pending token may be issued before the wish and published after it: that satisfies the wish as well. */
function satisfies({ issuedAt, publishedAt }: AccessTokenRecord, wish: Instant): boolean {
  return isAfter(issuedAt, wish) || isAfter(publishedAt, wish)
}

/**
 * Whether the record was written by a clock that was ahead. That clock may have worked out the expiry too, so
 * only a new proof tells whether the token lives.
 */
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

/** A token that the broker has refused once is not probed again: the answer would be the same. */
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

/**
 * The renewal whose reply was lost may not have ended the token: it is probed once, before anything else is
 * sent.
 */
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
 * A consumer's report is worth a call to the broker only where it is about the token published now, and that
 * token was not proven within the last minute. So the broker is asked once a minute at most, however many
 * consumers report.
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
