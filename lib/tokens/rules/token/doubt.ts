import type { Temporal } from 'temporal-polyfill'
import {
  type AccountState,
  type ApprovalRequest,
  type Doubt,
  isRefused,
  type StateChanges,
} from '../../../model/account-state.ts'
import {
  BrokerUnavailableError,
  ClientRejectedError,
  ConfigurationError,
  GrantRejectedError,
  HumanActionError,
  RateLimitedError,
  WrongAccountError,
} from '../../../model/errors.ts'
import { isFromTheFuture } from '../../../model/time/clock-tolerance.ts'
import { isAfter } from '../../../model/time/instants.ts'
import type { Broker } from '../../../ports/broker/broker.ts'
import { latest, openRequests } from './open-approval.ts'
import { isProvenNow } from './proven-now.ts'

type Instant = Temporal.Instant

/**
 * What is written down before a grant, a code or a request for approval is sent: where a broker keeps one session, the
 * answer may end the published token although we never hear of it (I9). An older doubt stays the older one.
 *
 * `openUntil`: until when the broker may still act on what was sent; a proof from before does not settle it.
 */
export function noteDoubt(
  { sessions }: Pick<Broker, 'sessions'>,
  state: AccountState,
  sent: { readonly by: Doubt['by']; readonly at: Instant; readonly openUntil?: Instant },
): StateChanges {
  if (sessions === 'many' || !holdsToken(state, sent.at)) return {}
  const before = olderDoubt(state, sent.at)
  const openUntil = latest(state.doubt?.openUntil, sent.openUntil)
  return {
    doubt: {
      since: before?.since ?? sent.at,
      by: before?.by ?? sent.by,
      ...(openUntil && { openUntil }),
    },
  }
}

/** One that was proven since stands only because the broker may still act: what is sent now is what has to be proven anew. */
function olderDoubt({ doubt, accessToken }: AccountState, at: Instant): Doubt | undefined {
  const isOpen = doubt?.openUntil && isAfter(doubt.openUntil, at)
  return isOpen && accessToken && isAfter(accessToken.provenAt, doubt.since) ? undefined : doubt
}

/**
 * What was sent at that instant did nothing for sure: the doubt it raised is gone. An older one stays, and one for as long
 * as the broker may still act on something else.
 */
export function withdrawDoubt({ doubt, approval }: AccountState, at: Instant | undefined): StateChanges {
  if (doubt === undefined || at === undefined || !doubt.since.equals(at)) return {}
  const isOpen = doubt.openUntil && isAfter(doubt.openUntil, at)
  return { doubt: isOpen ? (doubtOf(approval, at) ?? doubt) : undefined }
}

/**
 * Whether an error says that the broker gave nothing for what was sent, or gave somebody else's token: what is published
 * was not replaced. Of a grant or code that gave a token only WrongAccountError says so.
 */
export function gaveNothing(error: unknown): boolean {
  if (error instanceof BrokerUnavailableError) return !error.sent
  return (
    error instanceof WrongAccountError ||
    error instanceof GrantRejectedError ||
    error instanceof ClientRejectedError ||
    error instanceof HumanActionError ||
    error instanceof RateLimitedError ||
    error instanceof ConfigurationError
  )
}

/** What a successful proof at `now` leaves of the doubt: nothing, unless the broker may still act on what was sent. */
export function settledBy({ doubt }: AccountState, now: Instant): StateChanges {
  if (!doubt) return {}
  const isOpen = doubt.openUntil && isAfter(doubt.openUntil, now) && !isFromTheFuture(doubt.since, now)
  return isOpen ? {} : { doubt: undefined }
}

/**
 * What a publication at `now` leaves of the doubt: the holder may still answer a request for approval, which ends the new
 * token as it would have ended the old one.
 */
export function leftOpenBy(
  { sessions }: Pick<Broker, 'sessions'>,
  approval: ApprovalRequest | undefined,
  now: Instant,
): StateChanges {
  return { doubt: sessions === 'many' ? undefined : doubtOf(approval, now) }
}

function doubtOf(approval: ApprovalRequest | undefined, now: Instant): Doubt | undefined {
  const open = openRequests(approval, now)
  const [first, last] = [open[0], open.at(-1)]
  return first && last && { since: first.requestedAt, by: 'approval', openUntil: last.openUntil }
}

/**
 * Since when nobody knows whether the published token still lives; `undefined` while nothing speaks against it. What the
 * broker may still act on is never settled: whoever has proven the token a moment ago knows all the same that it lives.
 */
export function unprovenSince({ doubt, accessToken }: AccountState, now: Instant): Instant | undefined {
  if (!doubt || !accessToken) return undefined
  const isKnown = doubt.openUntil && isAfter(accessToken.provenAt, doubt.since)
  if (isKnown && isProvenNow(accessToken, now)) return undefined
  return latest(doubt.since, accessToken.provenAt)
}

function holdsToken(state: AccountState, now: Instant): boolean {
  const { accessToken } = state
  return accessToken !== undefined && !isRefused(state) && isAfter(accessToken.expiresAt, now)
}
