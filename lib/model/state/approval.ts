import { instant, list, number, optional, part, type ValueOf } from './fields.ts'

const OpenRequest = part({
  requestedAt: instant,
  openUntil: instant,
})
/** A request the account holder may answer until it closes. */
export interface OpenRequest extends ValueOf<typeof OpenRequest> {}

export const ApprovalRequest = part({
  ...OpenRequest.shape,
  /** Other requests that may be answered as well, once this one was or before. */
  earlier: optional(list(OpenRequest)),
  /** How many posted tokens were tried at the broker. */
  tried: number,
  approvedAt: optional(instant),
  /** Whole seconds the broker's clock was ahead of ours when it was asked; absent where the clocks agree, or nobody could tell. */
  driftSeconds: optional(number),
})
/** The last time the broker was told to ask the account holder: the webhook is open until then, or until it was answered. */
export interface ApprovalRequest extends ValueOf<typeof ApprovalRequest> {}

/** Approvals in the app of the broker. */
export const APPROVAL_FIELDS = {
  approval: optional(ApprovalRequest),
  /** Approval requests in the last day, oldest first. */
  approvalRequests: optional(list(instant)),
}
