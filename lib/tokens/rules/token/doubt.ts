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
 * The doubt that is recorded before a grant, a code or a request for approval is sent: where a broker keeps
 * one session, the answer may end the published token although we never hear of it (I9). An older doubt keeps
 * its time and cause. Pure.
 *
 * `openUntil`: until when the broker may still act on what was sent; a proof before then does not settle the
 * doubt.
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

/**
 * The doubt that is older than what is sent now; `undefined` where the token was proven since then, and the
 * doubt stands only because the broker may still act. What is sent now begins a new one.
 */
function olderDoubt({ doubt, accessToken }: AccountState, at: Instant): Doubt | undefined {
  const isOpen = doubt?.openUntil && isAfter(doubt.openUntil, at)
  return isOpen && accessToken && isAfter(accessToken.provenAt, doubt.since) ? undefined : doubt
}

/**
 * Takes back the doubt raised at `at`, since what was sent then certainly did nothing. An older doubt stays,
 * and so does one about a request for approval that the broker may still act on. Pure.
 */
export function withdrawDoubt({ doubt, approval }: AccountState, at: Instant | undefined): StateChanges {
  if (doubt === undefined || at === undefined || !doubt.since.equals(at)) return {}
  const isOpen = doubt.openUntil && isAfter(doubt.openUntil, at)
  return { doubt: isOpen ? (doubtOf(approval, at) ?? doubt) : undefined }
}

/**
 * Whether an error says that the broker gave no token for what was sent, or somebody else's: then the
 * published token was not replaced. After a token was minted only WrongAccountError says so. Pure.
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

/**
 * The doubt after a successful proof at `now`: none, unless the broker may still act on what was sent. Pure.
 */
export function settledBy({ doubt }: AccountState, now: Instant): StateChanges {
  if (!doubt) return {}
  const isOpen = doubt.openUntil && isAfter(doubt.openUntil, now) && !isFromTheFuture(doubt.since, now)
  return isOpen ? {} : { doubt: undefined }
}

/**
 * The doubt after a publication at `now`: none, unless the holder may still answer a request for approval,
 * which ends the new token as it would have ended the old one. Pure.
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
 * Since when it is not known whether the published token lives; `undefined` while nothing speaks against it.
 * A doubt about what the broker may still act on is not settled by a proof, but a proof within the last
 * minute still says that the token lives. Pure.
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
