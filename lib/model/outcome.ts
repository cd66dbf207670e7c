import type { AccountId } from './account-id.ts'
import type { ErrorCode } from './errors.ts'

/** How a run ended for one account. Each outcome is part of normal life, so it is a value and no error. */
export type Outcome = 'fresh' | 'refreshed' | 'awaiting_login' | 'ambiguous' | 'paused' | 'skipped' | 'failed'

/** One account's line of a run's report; the names are those of the Lambda reply. */
export interface AccountResult {
  readonly success: boolean
  readonly account: AccountId
  readonly userID: string | null
  readonly clientName: string | null
  readonly outcome: Outcome
  readonly code?: ErrorCode
  readonly reason: string
  /**
   * Whether the published token was proven, and nothing speaks against it since; `null` where the account is
   * managed elsewhere.
   */
  readonly live: boolean | null
  /** When the published access token dies, ISO 8601 in the broker's zone. */
  readonly tokenValidity: string | null
  /** What will happen next or what somebody has to do, in words. */
  readonly nextAction: string
  /**
   * From when on a login helps, ISO 8601 in the broker's zone; set where only a login helps, and not yet.
   * Nobody was asked.
   */
  readonly loginHelpsFrom?: string
}

/** The report of a run: the reply of a Lambda invocation and of `tokenkeeper refresh --json`. */
export interface RunReport {
  readonly success: boolean
  readonly message: string
  readonly refreshed: number
  readonly failed: number
  readonly skipped: number
  readonly total: number
  /** Accounts handed to a follow-up invocation because the deadline was near. */
  readonly handedOver: number
  readonly results: readonly AccountResult[]
}

const SUCCESSFUL: ReadonlySet<Outcome> = new Set(['fresh', 'refreshed', 'paused', 'skipped'])
const SKIPPED: ReadonlySet<Outcome> = new Set(['fresh', 'paused', 'skipped'])

/** Whether an outcome needs nobody: the token is fresh or refreshed, or the account was left alone. */
export function isSuccess(outcome: Outcome): boolean {
  return SUCCESSFUL.has(outcome)
}

/** Whether an account ended without success, and nobody was asked for a login. */
export function isUnsuccessful(outcome: Outcome | undefined): boolean {
  return outcome === 'failed' || outcome === 'ambiguous'
}

/**
 * Adds up the results; fresh accounts count as skipped. `emptyMessage` is the message where there is no
 * account. Pure.
 */
export function report(results: readonly AccountResult[], handedOver = 0, emptyMessage = ''): RunReport {
  const refreshed = results.filter(({ outcome }) => outcome === 'refreshed').length
  const skipped = results.filter(({ outcome }) => SKIPPED.has(outcome)).length
  const failed = results.length - refreshed - skipped
  const awaiting = results.filter(({ outcome }) => outcome === 'awaiting_login').length
  const parts = [`${refreshed} refreshed`, `${skipped} skipped`, `${failed} failed`]
  const early = results.filter(({ loginHelpsFrom }) => loginHelpsFrom !== undefined).length
  if (early > 0) parts[1] += ` (${early} too early to log in)`
  if (awaiting > 0) parts[2] += ` (${awaiting} waiting for a person to log in)`
  if (handedOver > 0) parts.push(`${handedOver} handed to a follow-up invocation`)
  const total = results.length + handedOver
  return {
    success: failed === 0 && total > 0,
    message: total === 0 ? emptyMessage : `${parts.join(', ')} of ${total}`,
    refreshed,
    failed,
    skipped,
    total,
    handedOver,
    results,
  }
}
