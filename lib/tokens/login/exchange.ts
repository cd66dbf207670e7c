import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import type { AccountState, LoginResult, StateChanges } from '../../model/account-state.ts'
import {
  AmbiguousError,
  BrokerUnavailableError,
  GrantRejectedError,
  RateLimitedError,
  TokenkeeperError,
  WrongAccountError,
} from '../../model/errors.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Authorization, Callback, CodeLogin } from '../../ports/broker/login.ts'
import { COMMAND_LINE } from '../../ports/login-service.ts'
import type { Ports } from '../../ports/ports.ts'
import { settleDoubt } from '../refresh/probe.ts'
import { assertSameUser } from '../refresh/publish.ts'
import { leftAlone } from '../rules/grants/attempt.ts'
import { RequestRefusedError } from '../rules/outcome/request-refused.ts'
import { resultOfError } from '../rules/outcome/run-result.ts'
import { gaveNothing, withdrawDoubt } from '../rules/token/doubt.ts'
import type { RunContext } from '../transaction/broker-context.ts'
import type { Transaction } from '../transaction/transaction.ts'
import { codeVerifierOf, loginCalled, openLogins } from './attempts.ts'
import { publishLogin } from './publish-login.ts'
import { assertStored } from './start.ts'

export const LOGGED_IN = 'a person logged in'

/** What a callback brought, and the login it belongs to. */
export interface Returned {
  readonly account: AccountId
  readonly loginId: string
  readonly callback: Callback
  /** The one-time state; absent for a bare code that was pasted. */
  readonly state?: string
  readonly browser: string
}

/**
 * Exchanges the code with one attempt, proves the token and publishes it. What was found on the way is noted.
 * Never throws: every end is a result.
 */
export async function exchangeCode(
  tx: Transaction,
  login: CodeLogin,
  returned: Returned,
): Promise<LoginResult> {
  const { account, before, broker, ports } = tx
  let reached = false
  let minted = false
  try {
    await tx.readSecrets()
    assertStored(login.needs, tx.stored, before, broker)
    const order = orderOf(returned, before, tx.context)
    reached = true
    const renewal = await login.exchange(tx.context, order)
    minted = true
    const { error, kept } = await publishLogin(tx, { renewal, source: 'login' })
    if (kept) {
      tx.note(throttle(error, ports))
      return keptResult(error, broker, account, ports.clock.now())
    }
    if (error !== undefined) throw error
    return { success: true, at: ports.clock.now(), reason: LOGGED_IN }
  } catch (error) {
    const at = ports.clock.now()
    const stays = minted && !(error instanceof WrongAccountError)
    // Without a code no exchange was counted, so the last exchange on record belongs to an earlier login.
    const notedAt = returned.callback.code && before.exchanges?.at(-1)
    if (!reached || (!stays && gaveNothing(error))) tx.note(withdrawDoubt(before, notedAt))
    tx.note(throttle(error, ports))
    // The broker is asked about the published token, so that the receipt can say whether it still lives.
    if (tx.isOpen) tx.note(await settleDoubt(tx))
    const isUnsent = !minted && error instanceof BrokerUnavailableError && !error.sent
    return { ...failure(error, broker, account, at), ...(isUnsent && { unsent: true }) }
  }
}

function throttle(error: unknown, { clock }: Ports): StateChanges {
  if (!(error instanceof RateLimitedError)) return {}
  const wait = leftAlone(error, clock.now())
  return { ...wait, loginNotBefore: wait.notBefore, loginNotBeforeSetAt: wait.notBeforeSetAt }
}

/** The result of a login whose token is kept: it need not be repeated. */
function keptResult(error: unknown, broker: Broker, account: AccountId, at: Temporal.Instant): LoginResult {
  const { code, reason } = resultOfError(error, account, at)
  return {
    success: false,
    at,
    ...(code && { code }),
    reason: `you are logged in, and the new token is kept; ${broker.displayName} could not prove it yet: ${reason}`,
    fix: `do not log in again: have it proven with tokenkeeper refresh ${account}, or let the next run do so`,
    kept: true,
  }
}

/**
 * What the adapter needs to exchange the code. Throws GrantRejectedError where the redirect brings no code,
 * and WrongAccountError where it names another user.
 */
function orderOf(
  { callback, state: oneTime, loginId }: Returned,
  state: AccountState,
  context: RunContext,
): Authorization {
  if (callback.code === undefined) {
    throw new GrantRejectedError(
      'the broker sent no authorization code: the login was cancelled or refused there',
      {
        ...(callback.refusal !== undefined && { brokerCode: callback.refusal }),
        fix: 'log in again when you are ready',
      },
    )
  }
  if (callback.userId !== undefined) {
    const { userId } = callback
    assertSameUser(state, { userId })
    const own = context.optional('user_id')?.reveal()
    if (own !== undefined) assertSameUser({ userId: own }, { userId })
  }
  return {
    code: callback.code,
    redirectUri: redirectUriOf(state, loginId, context),
    ...(oneTime !== undefined && { codeVerifier: codeVerifierOf(oneTime, context.secret('client_secret')) }),
  }
}

/**
 * The redirect URI the code was issued for. A bare code names no login: where no `redirect_uri` is stored,
 * that of the login last begun at the command line is used.
 */
function redirectUriOf(state: AccountState, loginId: string, context: RunContext): string {
  const begun = loginCalled(state, loginId)?.redirectUri
  if (begun) return begun
  const last = openLogins(state, context.clock.now()).findLast(({ browser }) => browser === COMMAND_LINE)
  return context.optional('redirect_uri')?.reveal() ?? last?.redirectUri ?? ''
}

function failure(error: unknown, broker: Broker, account: AccountId, at: Temporal.Instant): LoginResult {
  if (error instanceof RequestRefusedError) {
    const { reason, fix } = error.refusal
    return { success: false, at, code: 'configuration_invalid', reason, fix }
  }
  // A code is spent by the first request that names it, so there is nothing to look for (lib/brokers/README.md,
  // Errors).
  if (error instanceof AmbiguousError) {
    const reason = `the reply of ${broker.displayName} was lost, and the code counts as spent`
    return { success: false, at, code: 'ambiguous', reason, fix: 'log in again' }
  }
  const { code, reason, fix: advice } = resultOfError(error, account, at)
  // No run repeats a login, so the person is told to log in again.
  const fix =
    error instanceof RateLimitedError
      ? `log in again in ${Math.ceil(error.retryAfterSeconds / 60)} min`
      : error instanceof TokenkeeperError && error.retryable
        ? 'log in again'
        : advice
  return { success: false, at, ...(code && { code }), reason, ...(fix && { fix }) }
}
