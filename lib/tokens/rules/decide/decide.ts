import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../../model/account-id.ts'
import type { AccessTokenRecord, Doubt } from '../../../model/account-state.ts'
import { isFromTheFuture } from '../../../model/clock-tolerance.ts'
import { isAfter } from '../../../model/instants.ts'
import { localInstant } from '../../../model/local-time.ts'
import type { SecretName } from '../../../model/secret-name.ts'
import type { Broker } from '../../../ports/broker.ts'
import type { StoredSecrets } from '../../../ports/token-vault.ts'
import { attemptAllowedAt } from '../grants/budget.ts'
import { wantsProof, whetherDue } from '../token/due.ts'
import { pendingIn } from '../token/pending-token.ts'
import { isProvable } from '../token/provable.ts'
import { isProvenNow } from '../token/proven-now.ts'
import { chooseGrant, stop, unresolved } from './choose-grant.ts'
import type { Decision, Situation } from './decision.ts'
import { heldUntil, isHeld } from './held.ts'

type Instant = Temporal.Instant

/** A probe is no login: only what the broker asked for holds it back. */
const PROBE_BUDGET = { minimumGapSeconds: 0 }

/** Decides what to do about one account. Pure: no clock, no call, no secret in the result. */
export function decide(situation: Situation): Decision {
  const { broker, state, stored, now } = situation
  if (state.settings.managedBy === 'external') {
    return { action: 'skip', reason: 'this account is managed elsewhere' }
  }
  if (state.paused)
    return {
      action: 'paused',
      reason: `paused since ${localInstant(state.paused.since, broker.session.timeZone)}`,
    }

  const need = provableNeed(situation)
  if (need.kind === 'fresh') return { action: 'fresh', reason: need.reason }
  // The holder may be us in an earlier life; its lease ends with its process.
  if (state.lease && isHeld(state.lease, now)) {
    return {
      action: 'skip',
      reason: `another run is working on this account, at most until ${localInstant(heldUntil(state.lease), broker.session.timeZone)}`,
    }
  }
  if (need.kind === 'probe' || need.kind === 'publish_pending') {
    const hold = attemptAllowedAt(PROBE_BUDGET, { ...state, attempts: [] }, broker.session.timeZone, now)
    if (hold) return { action: 'wait', reason: hold.reason, until: hold.at, live: need.live }
    return { action: need.kind, reason: need.reason }
  }

  const broken = brokenCredential(broker, state.account, stored)
  if (broken) return broken
  return chooseGrant(situation, need.reason, need.live)
}

type Need =
  | { readonly kind: 'fresh'; readonly reason: string }
  | { readonly kind: 'probe' | 'publish_pending'; readonly reason: string; readonly live: boolean }
  | { readonly kind: 'renew'; readonly reason: string; readonly live: boolean }

/** Where the broker cannot be asked whether a token lives, one that is in doubt is renewed. */
function provableNeed(situation: Situation): Need {
  const need = whatIsNeeded(situation)
  if (need.kind !== 'probe' || isProvable(situation.broker, situation.state)) return need
  return { ...need, kind: 'renew' }
}

function whatIsNeeded(situation: Situation): Need {
  const { broker, state, stored, now, forcedAt } = situation
  const token = stored.get('access_token')
  const record = state.accessToken
  const pending = pendingIn(stored, state, now)
  if (pending) {
    const minted = localInstant(pending.renewal.sentAt, broker.session.timeZone)
    return {
      kind: 'publish_pending',
      reason: `the access token issued ${minted} is kept and not proven yet`,
      live: false,
    }
  }
  // A token that was kept and is published now satisfies a wish made before.
  const isSatisfied = (at: Instant): boolean =>
    record !== undefined && (isAfter(record.issuedAt, at) || isAfter(record.publishedAt, at))
  const believed = record !== undefined && !isUnbelievable(record, now)
  const forced = forcedAt !== undefined && !(believed && isSatisfied(forcedAt))
  if (token === undefined) return { kind: 'renew', reason: 'no access token is stored', live: false }
  const foreign = !believed || token.version !== record.version
  if (foreign && forced) return { kind: 'renew', reason: 'forced', live: false }
  // Probed once already and refused: a second probe would say the same.
  if (state.refusedVersion === token.version) {
    const reason = forced ? 'forced' : 'the stored access token was refused by the broker'
    return { kind: 'renew', reason, live: false }
  }
  if (foreign) {
    return {
      kind: 'probe',
      reason: 'the stored access token was not published by this software',
      live: false,
    }
  }
  const due = whetherDue(record, broker.session, state.settings, now, broker.tradingSession)
  if (state.doubt && !due.expired && !isProvenNow(record, now)) {
    return { kind: 'probe', reason: doubtReason(state.doubt), live: false }
  }
  if ((due.due || forced) && !due.expired && unresolved(state, stored)?.probed === false) {
    return { kind: 'probe', reason: 'the fate of the last renewal is unknown', live: true }
  }
  if (forced) return { kind: 'renew', reason: 'forced', live: !due.expired }
  if (due.due) return { kind: 'renew', reason: due.reason, live: !due.expired }
  if (isReported(record, situation)) {
    return { kind: 'probe', reason: 'a consumer was refused with the access token', live: true }
  }
  if (wantsProof(record, broker, state, now)) {
    return { kind: 'probe', reason: "the access token was last proven long before today's open", live: true }
  }
  return { kind: 'fresh', reason: due.reason }
}

/**
 * Whether a consumer's report is worth a call: it is about the token that is published now, and that was not proven
 * a moment ago. So however many report at once, and however often, the broker is asked once a minute at most.
 */
function isReported(record: AccessTokenRecord, { state, refused, now }: Situation): boolean {
  if (refused === undefined) return false
  const present =
    'generation' in refused ? refused.generation === state.generation : refused.version === record.version
  return present && !isProvenNow(record, now)
}

function doubtReason({ by }: Doubt): string {
  const sent =
    by === 'login' || by === 'given' ? 'a login' : by === 'approval' ? 'a request for approval' : 'a renewal'
  return `${sent} may have ended the published access token`
}

/** Published or proven by a clock that was ahead, which may have worked out its expiry: only a proof tells what it is worth. */
function isUnbelievable({ publishedAt, provenAt }: AccessTokenRecord, now: Instant): boolean {
  return isFromTheFuture(publishedAt, now) || isFromTheFuture(provenAt, now)
}

function brokenCredential(broker: Broker, account: AccountId, stored: StoredSecrets): Decision | undefined {
  const missing: SecretName[] = []
  for (const field of broker.credentials) {
    const value = stored.get(field.name)?.value
    if (value === undefined) {
      if (field.required) missing.push(field.name)
      continue
    }
    const problem = field.problem?.(value.reveal())
    if (problem !== undefined) {
      return stop(
        `the stored ${field.name} is malformed: ${problem}`,
        `store it again: tokenkeeper setup ${account}`,
      )
    }
  }
  if (missing.length === 0) return undefined
  return stop(`not stored: ${missing.join(', ')}`, `run tokenkeeper setup ${account}`)
}
