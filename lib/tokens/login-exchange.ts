import type { Temporal } from 'temporal-polyfill'
import type { Publication } from '../ports/audience.ts'
import type { Broker, Renewal } from '../ports/broker.ts'
import type { Callback, CodeLogin } from '../ports/login.ts'
import { COMMAND_LINE } from '../ports/login-desk.ts'
import type { Ports } from '../ports/ports.ts'
import type { AccountId } from './account-id.ts'
import type { AccountState, LoginResult, StateChanges } from './account-state.ts'
import { brokerContext, type RunContext } from './broker-context.ts'
import { endingOfError, notBefore } from './ending.ts'
import { AmbiguousError, GrantRejectedError, RateLimitedError, TokenkeeperError } from './errors.ts'
import type { Lease } from './lease.ts'
import { codeVerifierOf, loginCalled, openLogins } from './login-attempts.ts'
import { assertStored } from './login-start.ts'
import { assertSameUser } from './publish.ts'
import { publishLogin } from './publish-login.ts'
import { readStored } from './read-stored.ts'
import { Refused } from './refused.ts'

export const LOGGED_IN = 'a person logged in'

/** A code on its way to the broker, and what it belongs to. */
export interface Returned {
  readonly account: AccountId
  readonly loginId: string
  readonly callback: Callback
  /** The one-time state; absent for a bare code. */
  readonly state?: string
  readonly browser: string
}

/** A login whose state was taken: its code may be sent. */
export interface LoginWork {
  readonly broker: Broker
  readonly login: CodeLogin
  readonly lease: Lease
  readonly returned: Returned
  readonly deadline: Temporal.Instant
}

export interface Exchanged {
  readonly changes: StateChanges
  readonly result: LoginResult
  readonly publications: readonly Publication[]
}

/**
 * Exchanges the code, proves what it gave and publishes it. Never throws: how it went is the result, and what was
 * found on the way is to be recorded either way.
 */
export async function exchanged(
  { broker, login, lease, returned, deadline }: LoginWork,
  ports: Ports,
): Promise<Exchanged> {
  const state = lease.state
  const { account, settings, totpStep } = state
  let changes: StateChanges = {}
  try {
    const stored = await readStored(ports, broker, state)
    assertStored(login.needs, stored, state, broker)
    const context = brokerContext({ broker, account, settings, stored, deadline, totpStep }, ports)
    const renewal = await exchange(login, returned, state, context)
    const published = await publishLogin(broker, state, renewal, context, ports, 'login')
    changes = published.changes
    if (published.error !== undefined) throw published.error
    const result = { success: true, at: ports.clock.now(), reason: LOGGED_IN }
    return { changes, result, publications: context.publications() }
  } catch (error) {
    const at = ports.clock.now()
    if (error instanceof RateLimitedError) {
      const until = notBefore(error, at)
      changes = { ...changes, notBefore: until, loginNotBefore: until }
    }
    return { changes, result: failure(error, broker, account, at), publications: [] }
  }
}

/** One attempt at the exchange. Throws before it when the redirect already says that it is of no use. */
async function exchange(
  login: CodeLogin,
  { callback, state: oneTime, loginId }: Returned,
  state: AccountState,
  context: RunContext,
): Promise<Renewal> {
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
  return login.exchange(context, {
    code: callback.code,
    redirectUri: redirectUriOf(state, loginId, context),
    ...(oneTime !== undefined && { codeVerifier: codeVerifierOf(oneTime, context.secret('client_secret')) }),
  })
}

/** A bare code names no login: where no address is stored, it comes from the login last begun at the command line. */
function redirectUriOf(state: AccountState, loginId: string, context: RunContext): string {
  const begun = loginCalled(state, loginId)?.redirectUri
  if (begun) return begun
  const last = openLogins(state, context.clock.now()).findLast(({ browser }) => browser === COMMAND_LINE)
  return context.optional('redirect_uri')?.reveal() ?? last?.redirectUri ?? ''
}

function failure(error: unknown, broker: Broker, account: AccountId, at: Temporal.Instant): LoginResult {
  if (error instanceof Refused) {
    const { reason, fix } = error.refusal
    return { success: false, at, code: 'configuration_invalid', reason, fix }
  }
  // A code is spent by the first request that names it, so there is nothing to look for (brokers/DECISIONS, General).
  if (error instanceof AmbiguousError) {
    const reason = `the reply of ${broker.displayName} was lost, and the code counts as spent`
    return { success: false, at, code: 'ambiguous', reason, fix: 'log in again' }
  }
  const { code, reason, fix: advice } = endingOfError(error, account, at)
  // No run repeats a login: whoever began it does.
  const fix =
    error instanceof RateLimitedError
      ? `log in again in ${Math.ceil(error.retryAfterSeconds / 60)} min`
      : error instanceof TokenkeeperError && error.retryable
        ? 'log in again'
        : advice
  return { success: false, at, ...(code && { code }), reason, ...(fix && { fix }) }
}
