import { Temporal } from 'temporal-polyfill'
import type { ApprovalRequest, OpenRequest } from '../../../model/account-state.ts'
import { isFromTheFuture } from '../../../model/time/clock-tolerance.ts'
import { isAfter } from '../../../model/time/instants.ts'

type Instant = Temporal.Instant

/**
 * The requests for approval the holder may still answer, the one that closes soonest first. There may be
 * several: a broker does not take one back for a later one. Pure.
 */
export function openRequests(approval: ApprovalRequest | undefined, now: Instant): readonly OpenRequest[] {
  if (!approval) return []
  const { earlier = [], approvedAt, requestedAt, openUntil } = approval
  const all = approvedAt === undefined ? [...earlier, { requestedAt, openUntil }] : earlier
  return all
    .filter((one) => isAfter(one.openUntil, now) && !isFromTheFuture(one.requestedAt, now))
    .toSorted((a, b) => Temporal.Instant.compare(a.openUntil, b.openUntil))
}

/** Whether the holder may still answer any request for approval. Pure. */
export function isApprovalOpen(
  approval: ApprovalRequest | undefined,
  now: Instant,
): approval is ApprovalRequest {
  return openRequests(approval, now).length > 0
}

/** Whether the latest request for approval waits for its answer; this is what the pages show. Pure. */
export function isApprovalAwaited(
  approval: ApprovalRequest | undefined,
  now: Instant,
): approval is ApprovalRequest {
  return isApprovalOpen(approval, now) && approval.approvedAt === undefined
}

/**
 * The record after one of the open requests was answered. The broker does not say which one: it is taken to
 * be the one that closes soonest, so that no later answer is refused. Pure.
 */
export function answered(approval: ApprovalRequest, now: Instant): ApprovalRequest {
  const { earlier: _before, ...rest } = approval
  const [, ...earlier] = openRequests(approval, now)
  return { ...rest, approvedAt: now, ...(earlier.length > 0 && { earlier }) }
}

/** The later of two instants; the other one where one is absent. Pure. */
export function latest(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (!a || !b) return a ?? b
  return isAfter(a, b) ? a : b
}
