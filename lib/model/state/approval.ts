import { instant, list, number, optional, part, type ValueOf } from './fields.ts'

const OpenRequest = part({
  requestedAt: instant,
  openUntil: instant,
})
/** A request the account holder may answer until it closes. */
export interface OpenRequest extends ValueOf<typeof OpenRequest> {}

export const ApprovalRequest = part({
  ...OpenRequest.shape,
  /** Earlier requests that the holder may still answer. */
  earlier: optional(list(OpenRequest)),
  /** How many posted tokens were tried at the broker. */
  tried: number,
  approvedAt: optional(instant),
  /**
   * Seconds that the broker's clock was ahead of ours at the request; absent where the clocks agree, or that
   * was not known.
   */
  driftSeconds: optional(number),
})
/**
 * The latest request for approval. The webhook is open until `openUntil`, or until the request was answered.
 */
export interface ApprovalRequest extends ValueOf<typeof ApprovalRequest> {}

/** Approvals in the app of the broker. */
export const APPROVAL_FIELDS = {
  approval: optional(ApprovalRequest),
  /** Approval requests in the last day, oldest first. */
  approvalRequests: optional(list(instant)),
}
