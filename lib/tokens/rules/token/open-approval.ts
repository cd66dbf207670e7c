import { Temporal } from 'temporal-polyfill'
import type { ApprovalRequest, OpenRequest } from '../../../model/account-state.ts'
import { isFromTheFuture } from '../../../model/time/clock-tolerance.ts'
import { isAfter } from '../../../model/time/instants.ts'

type Instant = Temporal.Instant

/** The requests the holder may still answer, the one that closes soonest first: a broker takes none back for a later one. */
export function openRequests(approval: ApprovalRequest | undefined, now: Instant): readonly OpenRequest[] {
  if (!approval) return []
  const { earlier = [], approvedAt, requestedAt, openUntil } = approval
  const all = approvedAt === undefined ? [...earlier, { requestedAt, openUntil }] : earlier
  return all
    .filter((one) => isAfter(one.openUntil, now) && !isFromTheFuture(one.requestedAt, now))
    .toSorted((a, b) => Temporal.Instant.compare(a.openUntil, b.openUntil))
}

/** Whether the webhook may still bring what was asked for. */
export function isApprovalOpen(
  approval: ApprovalRequest | undefined,
  now: Instant,
): approval is ApprovalRequest {
  return openRequests(approval, now).length > 0
}

/** Whether the request made last waits for its answer: what the pages show. */
export function isApprovalAwaited(
  approval: ApprovalRequest | undefined,
  now: Instant,
): approval is ApprovalRequest {
  return isApprovalOpen(approval, now) && approval.approvedAt === undefined
}

/**
 * The record once one of the open requests was answered. Nobody says which one: it is the one that closes soonest, so that
 * no answer is refused that may still come.
 */
export function answered(approval: ApprovalRequest, now: Instant): ApprovalRequest {
  const { earlier: _before, ...rest } = approval
  const [, ...earlier] = openRequests(approval, now)
  return { ...rest, approvedAt: now, ...(earlier.length > 0 && { earlier }) }
}

/** The later of two instants, where there are any. */
export function latest(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (!a || !b) return a ?? b
  return isAfter(a, b) ? a : b
}
