import type { Temporal } from 'temporal-polyfill'
import { brokerOf } from '../../model/account-id.ts'
import type { AccountState, LoginAttempt, LoginResult, StateChanges } from '../../model/account-state.ts'
import { Secret } from '../../model/secrets/secret.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { CodeLogin } from '../../ports/broker/login.ts'
import { COMMAND_LINE, type Finished, type FinishOrder } from '../../ports/login-service.ts'
import type { Ports } from '../../ports/ports.ts'
import type { Prepared } from '../lease/acquire-lease.ts'
import { withAttempt } from '../rules/grants/budget.ts'
import type { ActionNeeded } from '../rules/outcome/action-needed.ts'
import { RequestRefusedError } from '../rules/outcome/request-refused.ts'
import { noteDoubt } from '../rules/token/doubt.ts'
import { LOGIN } from '../transaction/times.ts'
import type { Transaction } from '../transaction/transaction.ts'
import { underLease } from '../transaction/under-lease.ts'
import { accountOfState, isOpen, loginCalled, loginIdOf, withLogin, withResult } from './attempts.ts'
import { exchangeCode, LOGGED_IN, type Returned } from './exchange.ts'
import { assertWanted, assertWithinBudget, codeLoginOf } from './start.ts'

/**
 * Ends a login: spends the one-time state, exchanges the code with one attempt, proves, saves and publishes
 * the token, tells that the incident is over, and records how it went. One write spends the state and takes
 * the lease, so the code is sent once even if the callback is reloaded or the process killed.
 *
 * Throws RequestRefusedError before anything was changed, BusyError, and what the stores throw; any other end
 * is in the record.
 */
export async function finishLogin(order: FinishOrder, broker: Broker, ports: Ports): Promise<Finished> {
  const login = codeLoginOf(broker)
  const returned = returnedBy(order, login)
  const { account, loginId } = returned
  const finished = { account, loginId }
  const prepare = (state: AccountState): Prepared<Finished> => {
    const now = ports.clock.now()
    const attempt = attemptOf(state, returned, now)
    // A repeated callback gets the end of the first one.
    if (attempt.usedAt !== undefined && !isUnspent(returned, attempt)) return { instead: finished }
    assertWanted(state)
    const exchanges = returned.callback.code !== undefined
    if (exchanges) assertWithinBudget(login, state, broker, now)
    return { write: taken(broker, state, attempt, exchanges, now) }
  }
  return underLease({ broker, account, times: LOGIN, prepare }, ports, async (tx) => {
    const result = await exchangeCode(tx, login, returned)
    const lost = needOf(result)
    log(result, lost, tx)
    return {
      result: finished,
      people: lost ?? (result.success ? 'solved' : undefined),
      last: result.success ? { at: result.at, outcome: 'refreshed', reason: LOGGED_IN } : undefined,
      changesOf: (state) => ({ logins: withResult(state, loginId, { result }) }),
    }
  })
}

/**
 * Whether a bare code that never reached the broker may be sent again: nobody can get the same code a second
 * time.
 */
function isUnspent({ state }: Returned, { result }: LoginAttempt): boolean {
  return state === undefined && result?.unsent === true
}

function returnedBy(order: FinishOrder, login: CodeLogin): Returned {
  if (order.by === 'code') {
    const { account, code } = order
    // The same code, entered again or by a repeated invocation, is the same login.
    const loginId = loginIdOf(`${account} ${code}`)
    return { account, loginId, callback: { code: new Secret(code) }, browser: COMMAND_LINE }
  }
  const parameters = new URLSearchParams(order.query)
  const state = parameters.get('state') ?? ''
  const account = accountOfState(state)
  if (account === undefined || brokerOf(account) !== order.broker) throw unknownState()
  const callback = login.readCallback(parameters)
  return { account, loginId: loginIdOf(state), callback, state, browser: order.browser }
}

/**
 * The login a callback belongs to. Throws RequestRefusedError where it was begun in another browser, is
 * unknown or too old.
 */
function attemptOf(
  record: AccountState,
  { loginId, browser, state }: Returned,
  now: Temporal.Instant,
): LoginAttempt {
  const at = { startedAt: now, openUntil: now.add({ minutes: 1 }) }
  const bare: LoginAttempt | undefined =
    state === undefined ? { id: loginId, browser, redirectUri: '', ...at } : undefined
  const attempt = loginCalled(record, loginId) ?? bare
  if (!attempt) throw unknownState()
  if (attempt.browser !== browser) {
    throw new RequestRefusedError(
      'other_browser',
      'this login was begun in another browser',
      'finish it in the browser in which you began, or begin again here',
    )
  }
  if (attempt.usedAt === undefined && !isOpen(attempt, now)) {
    throw new RequestRefusedError(
      'state_expired',
      'this login was begun too long ago',
      'begin again: nothing was changed',
    )
  }
  return attempt
}

function unknownState(): RequestRefusedError {
  return new RequestRefusedError(
    'unknown_state',
    'this is not the end of a login that was begun here',
    'begin again on the login page: nothing was changed',
  )
}

/**
 * What is recorded before the code is sent: the state is spent, the exchange counts, and the published token
 * is in doubt.
 */
function taken(
  broker: Broker,
  state: AccountState,
  attempt: LoginAttempt,
  exchanges: boolean,
  now: Temporal.Instant,
): StateChanges {
  const known = loginCalled(state, attempt.id) ? state : { ...state, logins: withLogin(state, attempt, now) }
  return {
    logins: withResult(known, attempt.id, { usedAt: now }),
    ...(exchanges && {
      exchanges: withAttempt(state.exchanges ?? [], now),
      ...noteDoubt(broker, state, { by: 'login', at: now }),
    }),
  }
}

function log({ success, code, reason }: LoginResult, lost: ActionNeeded | undefined, tx: Transaction): void {
  const { account, broker, ports } = tx
  if (lost) ports.telemetry.count('TokenLost', broker.id)
  ports.telemetry[success ? 'info' : 'warn']('a login ended', { account, success, code, reason })
}

/**
 * A refresh token that was issued and could not be saved pages somebody at once (I1), since the person may be
 * gone.
 */
function needOf({ code, reason, fix = '' }: LoginResult): ActionNeeded | undefined {
  return code === 'token_lost' ? { kind: 'token_lost', reason, action: fix } : undefined
}
