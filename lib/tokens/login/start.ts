import type { Temporal } from 'temporal-polyfill'
import { type AccountState, changed, newAccountState } from '../../model/account-state.ts'
import { StateStoreError } from '../../model/errors.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import { unknownAccount } from '../../model/unknown-account.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { CodeLogin } from '../../ports/broker/login.ts'
import type { Started, StartOrder } from '../../ports/login-service.ts'
import type { Ports } from '../../ports/ports.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import { readStored } from '../lease/read-stored.ts'
import { attemptAllowedAt, loginHold } from '../rules/grants/budget.ts'
import { RequestRefusedError } from '../rules/outcome/request-refused.ts'
import { brokerContext } from '../transaction/broker-context.ts'
import {
  codeVerifierOf,
  LOGIN_OPEN_MINUTES,
  loginIdOf,
  MOST_OPEN_LOGINS,
  newLoginState,
  openLogins,
  withLogin,
} from './attempts.ts'

const MOST_ATTEMPTS = 6
/** The context needs a deadline, although nothing is sent. */
const CONTEXT_SECONDS = 30

/**
 * Opens a login of one account for one browser. Sends nothing to the broker: it works out the address of the
 * broker's login page, and records what the callback must match.
 *
 * Throws RequestRefusedError where a login is of no use now, ConfigurationError for an unknown account, and
 * what the stores throw.
 */
export async function startLogin(order: StartOrder, broker: Broker, ports: Ports): Promise<Started> {
  const { account, browser } = order
  const login = codeLoginOf(broker)
  let state = (await ports.states.get(account)) ?? newAccountState(account)
  const stored = await readStored(ports, broker, state)
  if (state.revision === 0 && stored.size === 0) throw unknownAccount(account)
  assertStored(login.needs, stored, state, broker)

  const redirectUri = stored.get('redirect_uri')?.value.reveal() ?? order.callbackUrl
  if (redirectUri === undefined) {
    throw new RequestRefusedError(
      'configuration_invalid',
      `${broker.displayName} has to send the browser back somewhere, and no redirect_uri is stored`,
      `store the one registered with the app: tokenkeeper put ${account} redirect_uri`,
    )
  }
  const oneTime = newLoginState(account)
  const authorizationUrl = addressOf(login, { broker, state, stored, oneTime, redirectUri }, ports)

  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const now = ports.clock.now()
    assertWanted(state)
    assertAllowed(login, state, broker, now)
    const logins = withLogin(
      state,
      {
        id: loginIdOf(oneTime),
        browser,
        startedAt: now,
        openUntil: now.add({ minutes: LOGIN_OPEN_MINUTES }),
        redirectUri,
      },
      now,
    )
    const replaced = await ports.states.replace(changed(state, { logins }))
    if (replaced.written) return { authorizationUrl, redirectUri, loginId: loginIdOf(oneTime) }
    state = replaced.current ?? newAccountState(account)
  }
  throw new StateStoreError(`${account} kept changing`, { fix: 'try again in a moment' })
}

/**
 * The broker's login that ends with an authorization code. Throws RequestRefusedError where the broker has
 * none.
 */
export function codeLoginOf(broker: Broker): CodeLogin {
  if (broker.login?.code) return broker.login.code
  throw new RequestRefusedError(
    'configuration_invalid',
    broker.login
      ? `${broker.displayName} has no login through this software`
      : `${broker.displayName} needs no login: its tokens are renewed unattended`,
    broker.login
      ? `${broker.login.how} and store the token: tokenkeeper put {account} access_token`
      : 'run tokenkeeper refresh',
  )
}

/** Throws RequestRefusedError, with the names of what is missing or malformed and never a value. */
export function assertStored(
  needs: readonly SecretName[],
  stored: StoredSecrets,
  { account }: AccountState,
  { credentials }: Broker,
): void {
  for (const { name, problem } of credentials) {
    const value = stored.get(name)?.value
    const wrong = value && problem?.(value.reveal())
    if (wrong) {
      throw new RequestRefusedError(
        'configuration_invalid',
        `the stored ${name} of ${account} is malformed: ${wrong}`,
        `store it again: tokenkeeper put ${account} ${name}`,
      )
    }
  }
  const missing = needs.filter((name) => !stored.has(name))
  if (missing.length === 0) return
  throw new RequestRefusedError(
    'configuration_invalid',
    `not stored for ${account}: ${missing.join(', ')}`,
    `run tokenkeeper setup ${account}, or store a token you have: tokenkeeper put ${account} access_token`,
  )
}

/** Throws RequestRefusedError for an account that is paused or managed elsewhere. */
export function assertWanted({ account, settings, paused }: AccountState): void {
  if (settings.managedBy === 'external') {
    throw new RequestRefusedError(
      'configuration_invalid',
      `${account} is managed elsewhere`,
      'log in where it is managed',
    )
  }
  if (paused) {
    throw new RequestRefusedError(
      'configuration_invalid',
      `${account} is paused`,
      `run tokenkeeper resume ${account}`,
    )
  }
}

function assertAllowed(login: CodeLogin, state: AccountState, broker: Broker, now: Temporal.Instant): void {
  if (openLogins(state, now).length >= MOST_OPEN_LOGINS) {
    throw new RequestRefusedError(
      'rate_limited',
      `${MOST_OPEN_LOGINS} logins of ${state.account} are open already`,
      `finish one of them, or wait ${LOGIN_OPEN_MINUTES} min`,
    )
  }
  assertWithinBudget(login, state, broker, now)
}

/**
 * Throws RequestRefusedError while the login budget allows no exchange. Checked before a person types the
 * second factor as well as after.
 */
export function assertWithinBudget(
  { budget }: CodeLogin,
  state: AccountState,
  broker: Broker,
  now: Temporal.Instant,
): void {
  const { timeZone } = broker.session
  const attempts = state.exchanges ?? []
  const hold = attemptAllowedAt(budget, { ...loginHold(state), attempts }, timeZone, now)
  if (!hold) return
  const seconds = Math.ceil(now.until(hold.at).total('seconds'))
  const wait = seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`
  throw new RequestRefusedError(
    'rate_limited',
    `${broker.displayName}: ${hold.reason}`,
    `try again in ${wait}`,
  )
}

interface Address {
  readonly broker: Broker
  readonly state: AccountState
  readonly stored: StoredSecrets
  readonly oneTime: string
  readonly redirectUri: string
}

function addressOf(login: CodeLogin, address: Address, ports: Ports): string {
  const { broker, state, stored, oneTime, redirectUri } = address
  const { account, settings, totpStep } = state
  const deadline = ports.clock.now().add({ seconds: CONTEXT_SECONDS })
  const context = brokerContext({ broker, account, settings, stored, deadline, totpStep }, ports)
  return login.authorizationUrl(context, {
    state: oneTime,
    redirectUri,
    codeVerifier: codeVerifierOf(oneTime, context.secret('client_secret')),
  })
}
