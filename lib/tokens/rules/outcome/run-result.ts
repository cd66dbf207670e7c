import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../../model/account-id.ts'
import {
  AmbiguousError,
  type ErrorCode,
  GrantRejectedError,
  RateLimitedError,
  TokenkeeperError,
} from '../../../model/errors.ts'
import type { Outcome } from '../../../model/outcome.ts'
import { maskSecrets } from '../../../model/secrets/secret.ts'
import { localInstant } from '../../../model/time/local-time.ts'
import type { Broker } from '../../../ports/broker/broker.ts'
import type { ActionNeeded } from './action-needed.ts'
import { fixOf, forAccount, isLookedAtDaily, loginAction } from './advice.ts'

/** A run waits this long at most where the broker asks for it; a longer wait is left to later runs. */
const LONGEST_WAIT_IN_RUN_S = 15 * 60
const PASSING_FAULT_PAUSE_S = 2

/** How a run ends for one account, before it is written down. */
export interface RunResult {
  readonly outcome: Outcome
  readonly code?: ErrorCode
  readonly reason: string
  readonly fix?: string
  /** What a person has to be told; absent where nobody is needed. */
  readonly need?: ActionNeeded
  /** When the same run may usefully try again. */
  readonly retryAt?: Temporal.Instant
  /** Only a login helps, from this instant on. */
  readonly loginHelpsFrom?: Temporal.Instant
}

/** The result of a run for which only a person can help, by logging in now. */
export function askForLogin(broker: Broker, account: AccountId, reason: string): RunResult {
  const action = loginAction(broker, account)
  return { outcome: 'awaiting_login', reason, fix: action, need: { kind: 'login_needed', reason, action } }
}

/**
 * The result of a run for which only a login helps, but not before `from`: nobody is asked for a login whose
 * token would be dead when the market opens.
 */
export function askLater(
  broker: Broker,
  account: AccountId,
  reason: string,
  from: Temporal.Instant,
): RunResult {
  const then = localInstant(from, broker.session.timeZone)
  return {
    outcome: 'skipped',
    reason: `${reason}; a login helps from ${then}`,
    fix: loginAction(broker, account, from),
    loginHelpsFrom: from,
  }
}

/** The result of a run that nothing helps until somebody changes what `fix` names. */
export function stopUntilFixed(code: ErrorCode, reason: string, fix: string): RunResult {
  const kind = code === 'human_action' || code === 'wrong_account' ? 'human_action' : 'operator_action'
  return { outcome: 'failed', code, reason, fix, need: { kind, reason, action: fix } }
}

/** What an error of a grant means for the run; adds when the grant is tried again by itself. */
export function resultOfGrantError(error: unknown, account: AccountId, now: Temporal.Instant): RunResult {
  const result = resultOfError(error, account, now)
  if (!isLookedAtDaily(error)) return result
  const fix = forAccount(fixOf(error), account)
  return { ...result, fix, ...(result.need && { need: { ...result.need, action: fix } }) }
}

/** What an error means for the run. Of an unforeseen error, which is a bug, only the class is told. */
export function resultOfError(error: unknown, account: AccountId, now: Temporal.Instant): RunResult {
  if (!(error instanceof TokenkeeperError)) {
    const kind = error instanceof Error ? error.name : typeof error
    return stopUntilFixed(
      'response_unexpected',
      `an unforeseen fault (${kind})`,
      'report it with the log of this run',
    )
  }
  const said = error.brokerCode ? `${error.message} (${error.brokerCode})` : error.message
  const reason = forAccount(maskSecrets(said), account)
  const fix = forAccount(error.fix, account)
  const told = { code: error.code, reason, fix }
  if (error instanceof AmbiguousError) return { outcome: 'ambiguous', ...told }
  if (error instanceof RateLimitedError) {
    const seconds = Math.ceil(error.retryAfterSeconds)
    return {
      outcome: 'failed',
      ...told,
      ...(seconds <= LONGEST_WAIT_IN_RUN_S && { retryAt: now.add({ seconds }) }),
    }
  }
  if (error.retryable)
    return { outcome: 'failed', ...told, retryAt: now.add({ seconds: PASSING_FAULT_PAUSE_S }) }
  if (error.code === 'token_lost') {
    return { outcome: 'failed', ...told, need: { kind: 'token_lost', reason, action: fix } }
  }
  return stopUntilFixed(error.code, reason, fix)
}

/** Whether the next grant of the ladder may be tried after this error. */
export function leavesRoomForNextGrant(error: unknown): boolean {
  return error instanceof GrantRejectedError
}
