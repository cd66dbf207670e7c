import { randomUUID } from 'node:crypto'
import type { Temporal } from 'temporal-polyfill'
import type { Broker, Renewal } from '../ports/broker.ts'
import type { Callback, CodeLogin } from '../ports/login.ts'
import { COMMAND_LINE, type Finished, type FinishOrder } from '../ports/login-desk.ts'
import type { Ports } from '../ports/ports.ts'
import { type AccountId, brokerOf } from './account-id.ts'
import type { AccountState, LoginAttempt, LoginResult, StateChanges } from './account-state.ts'
import { acquireLease } from './acquire-lease.ts'
import { brokerContext, type RunContext } from './broker-context.ts'
import { withAttempt } from './budget.ts'
import { endingOfError, notBefore } from './ending.ts'
import { AmbiguousError, GrantRejectedError, RateLimitedError, TokenkeeperError } from './errors.ts'
import { tell } from './incident.ts'
import type { Lease } from './lease.ts'
import {
  accountOfState,
  codeVerifierOf,
  isOpen,
  loginCalled,
  loginIdOf,
  newLoginState,
  withLogin,
  withResult,
} from './login-attempts.ts'
import { assertStored, assertWanted, assertWithinBudget, codeLoginOf } from './login-start.ts'
import { assertSameUser } from './publish.ts'
import { publishLogin } from './publish-login.ts'
import { readStored } from './read-stored.ts'
import { Refused } from './refused.ts'
import { Secret } from './secret.ts'

/** API Gateway gives up after 30 s, and so does a person. */
const WORK_SECONDS = 20
/** After the work the record is written; then the account is free, whatever became of this process. */
const LEASE_SECONDS = 30
/** A scheduled run that looks at the account is over in a moment. */
const PATIENCE_SECONDS = 6

const LOGGED_IN = 'a person logged in'

/** A code on its way to the broker, and what it belongs to. */
interface Returned {
  readonly account: AccountId
  readonly loginId: string
  readonly callback: Callback
  /** The one-time state; absent for a bare code. */
  readonly state?: string
  readonly browser: string
}

/**
 * Ends a login: takes the one-time state, exchanges the code with one attempt, proves, saves, publishes, tells that
 * it is over, and records how it went. Taking the state is the write that takes the lease, so the code is sent once
 * whatever is reloaded, repeated or killed.
 *
 * Throws Refused before anything was changed, and what the stores throw; any other end is in the record.
 */
export async function finishLogin(order: FinishOrder, broker: Broker, ports: Ports): Promise<Finished> {
  const login = codeLoginOf(broker)
  const returned = returnedBy(order, login)
  const { account, loginId } = returned
  const now = ports.clock.now()
  let over = false
  const wish = {
    broker,
    account,
    owner: `login/${randomUUID()}`,
    until: now.add({ seconds: LEASE_SECONDS }),
    patienceSeconds: PATIENCE_SECONDS,
  }
  let lease: Lease
  try {
    lease = await acquireLease(wish, ports, (state) => {
      const attempt = attemptOf(state, returned, ports.clock.now())
      over = attempt.usedAt !== undefined
      if (over) throw new Over()
      assertWanted(state)
      const exchanges = returned.callback.code !== undefined
      if (exchanges) assertWithinBudget(login, state, broker, ports.clock.now())
      return taken(state, attempt, exchanges, ports.clock.now())
    })
  } catch (error) {
    // A callback that comes again finds how the first one ended.
    if (error instanceof Over) return { account, loginId }
    throw error
  }
  await work({ broker, login, lease, returned, deadline: now.add({ seconds: WORK_SECONDS }) }, ports)
  return { account, loginId }
}

class Over extends Error {}

function returnedBy(order: FinishOrder, login: CodeLogin): Returned {
  if (order.by === 'code') {
    const { account, code } = order
    const loginId = loginIdOf(newLoginState(account))
    return { account, loginId, callback: { code: new Secret(code) }, browser: COMMAND_LINE }
  }
  const parameters = new URLSearchParams(order.query)
  const state = parameters.get('state') ?? ''
  const account = accountOfState(state)
  if (account === undefined || brokerOf(account) !== order.broker) throw unknownState()
  const callback = login.readCallback(parameters)
  return { account, loginId: loginIdOf(state), callback, state, browser: order.browser }
}

/** The attempt a callback belongs to. Throws Refused for one that is not this browser's, or too late. */
function attemptOf(
  record: AccountState,
  { loginId, browser, state }: Returned,
  now: Temporal.Instant,
): LoginAttempt {
  const at = { startedAt: now, openUntil: now.add({ minutes: 1 }) }
  const attempt =
    state === undefined ? { id: loginId, browser, redirectUri: '', ...at } : loginCalled(record, loginId)
  if (!attempt) throw unknownState()
  if (attempt.browser !== browser) {
    throw new Refused(
      'other_browser',
      'this login was begun in another browser',
      'finish it in the browser in which you began, or begin again here',
    )
  }
  if (attempt.usedAt === undefined && !isOpen(attempt, now)) {
    throw new Refused(
      'state_expired',
      'this login was begun too long ago',
      'begin again: nothing was changed',
    )
  }
  return attempt
}

function unknownState(): Refused {
  return new Refused(
    'unknown_state',
    'this is not the end of a login that was begun here',
    'begin again on the login page: nothing was changed',
  )
}

function taken(
  state: AccountState,
  attempt: LoginAttempt,
  exchanges: boolean,
  now: Temporal.Instant,
): StateChanges {
  const known = loginCalled(state, attempt.id) ? state : { ...state, logins: withLogin(state, attempt, now) }
  return {
    logins: withResult(known, attempt.id, { usedAt: now }),
    ...(exchanges && { exchanges: withAttempt(state.exchanges ?? [], now) }),
  }
}

interface Work {
  readonly broker: Broker
  readonly login: CodeLogin
  readonly lease: Lease
  readonly returned: Returned
  readonly deadline: Temporal.Instant
}

/** Everything done while holding the lease, which is given back whatever happens. */
async function work(task: Work, ports: Ports): Promise<void> {
  const { broker, lease, returned } = task
  const { account, loginId } = returned
  const { changes, result } = await exchanged(task, ports)
  const found: AccountState = { ...lease.state, ...(changes as Partial<AccountState>) }
  const incident = result.success ? await tell(broker, found, undefined, ports) : lease.state.incident
  const last = result.success && ({ at: result.at, outcome: 'refreshed', reason: LOGGED_IN } as const)
  const released = await lease.release((state) => ({
    ...changes,
    ...(last && { last }),
    incident,
    logins: withResult(state, loginId, { result }),
  }))
  const { success, code } = result
  ports.telemetry[success ? 'info' : 'warn']('a login ended', {
    account,
    success,
    code,
    reason: result.reason,
  })
  if (!released) ports.telemetry.warn('another run took over before the outcome was recorded', { account })
}

async function exchanged(
  { broker, login, lease, returned, deadline }: Work,
  ports: Ports,
): Promise<{ readonly changes: StateChanges; readonly result: LoginResult }> {
  const state = lease.state
  const { account, settings, totpStep } = state
  let changes: StateChanges = {}
  try {
    const stored = await readStored(ports, broker, state)
    assertStored(login.needs, stored, state)
    const context = brokerContext({ broker, account, settings, stored, deadline, totpStep }, ports)
    const renewal = await exchange(login, returned, state, context)
    const published = await publishLogin(broker, state, renewal, context, ports, 'login')
    changes = published.changes
    if (published.error !== undefined) throw published.error
    return { changes, result: { success: true, at: ports.clock.now(), reason: LOGGED_IN } }
  } catch (error) {
    const at = ports.clock.now()
    if (error instanceof RateLimitedError) changes = { ...changes, notBefore: notBefore(error, at) }
    return { changes, result: failure(error, broker, account, at) }
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
    redirectUri: loginCalled(state, loginId)?.redirectUri || context.optional('redirect_uri')?.reveal() || '',
    ...(oneTime !== undefined && { codeVerifier: codeVerifierOf(oneTime, context.secret('client_secret')) }),
  })
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
