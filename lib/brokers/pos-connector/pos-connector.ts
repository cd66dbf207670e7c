import { GrantRejectedError } from '../../model/errors.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { BrokerContext, Proof, Renewal } from '../../ports/broker/broker-context.ts'
import { baseUrlProblem } from '../shared/base-url.ts'
import { badField } from '../shared/call.ts'
import { proveFresh } from '../shared/fresh-token.ts'
import { post, read } from './call.ts'
import { posRefusal } from './dead-token.ts'
import { assertAuthenticated, loginError, POS, readError } from './errors.ts'
import { assertConfiguredUser, grantOf, userOf } from './reply.ts'

/** The `device_name` of a login; the option `deviceName` replaces it (README, Endpoints). */
const POS_DEVICE_NAME = 'pos-connector'
/**
 * Sanctum's tokens have no expiry by default; such a token is renewed after twelve hours (README, Expiry).
 */
const POS_DEFAULT_TTL_S = 43_200
/** A token is renewed when 30 minutes or less are left (README, Expiry). */
const POS_REFRESH_WINDOW_S = 1_800

/** A self-hosted Laravel backend for invoices: e-mail and password give a bearer token. No market, no person. */
export const posConnector = {
  id: 'pos-connector',
  displayName: POS,
  hosts: {},
  credentials: [
    {
      name: 'base_url',
      label: 'Address of the backend, such as https://pos.example.com',
      hidden: false,
      required: true,
      env: ['POS_BASE_URL'],
      problem: baseUrlProblem,
    },
    {
      name: 'email',
      label: 'E-mail',
      hidden: false,
      required: true,
      env: ['POS_EMAIL'],
      problem: (value) => (/^[^\s@]+@[^\s@]+$/.test(value) ? undefined : 'it must be an e-mail address'),
    },
    {
      name: 'password',
      label: 'Password',
      hidden: true,
      required: true,
      env: ['POS_PASSWORD'],
      // Laravel makes us wait and locks nobody out (README, Limits).
      lockAfter: 'never',
    },
    { name: 'vendor_id', label: 'Vendor id', hidden: false, required: false, env: ['POS_VENDOR_ID'] },
  ],
  // UNCERTAIN whether a newer token ends the older one: taken for yes (README, Uncertain).
  sessions: 'one',
  session: {
    timeZone: 'UTC',
    leewayMinutes: POS_REFRESH_WINDOW_S / 60,
    // Sanctum's tokens are opaque; the `exp` of a backend with a JWT package is an upper bound (README, Expiry).
    accessToken: {
      earliestOf: [{ kind: 'reply' }, { kind: 'jwt' }],
      otherwise: { kind: 'hours', hours: POS_DEFAULT_TTL_S / 3_600 },
    },
  },
  grants: [
    {
      kind: 'credentials',
      needs: ['base_url', 'email', 'password'],
      // Below Laravel's usual throttle of five a minute (README, Limits); a login without a reply counts too.
      budget: { perHour: 10, minimumGapSeconds: 60 },
      repeatsAfterAmbiguity: 'budget',
      renew,
    },
  ],
  // The file's token_expiry is not read: the backend is asked whether the token lives.
  guide: {
    configKeys: {
      base_url: 'base_url',
      email: 'email',
      password: 'password',
      vendor_id: 'vendor_id',
      access_token: 'token',
    },
  },
  options: {
    'paths.login': 'path of the login route',
    'paths.me': 'path that tells the user',
    'paths.refresh': 'path of a refresh route, if there is one',
    deviceName: 'what the backend lists the token under',
    tokenExpiryZone: 'zone of a token_expiry without one',
  },
  prove,
  // The address is the account's own base_url.
  api: { hosts: [] },
  refusal: posRefusal,
  pacingSeconds: 0,
  concurrency: 2,
  schedule: { expressions: ['rate(15 minutes)'], timeZone: 'UTC' },
} as const satisfies Broker

/**
 * Renews by the backend's refresh route, where one is configured and accepts the stored token; otherwise logs
 * in.
 */
async function renew(context: BrokerContext): Promise<Renewal> {
  const stored = context.optional('access_token')
  if (stored && context.settings.options?.['paths.refresh']) {
    try {
      return await refresh(context, stored)
    } catch (error) {
      if (!(error instanceof GrantRejectedError)) throw error
    }
  }
  return logIn(context)
}

/**
 * The login (README, Endpoints). It may end older tokens, so the new one is proven here, and published at
 * once.
 */
async function logIn(context: BrokerContext): Promise<Renewal> {
  const deviceName = context.settings.options?.['deviceName'] ?? POS_DEVICE_NAME
  const reply = await post(context, 'login', {
    email: context.secret('email').reveal(),
    password: context.secret('password').reveal(),
    ...(deviceName && { device_name: deviceName }),
  })
  const renewal = grantOf(context, reply)
  if (!renewal) throw loginError(reply)
  return { ...renewal, ...(await proveFresh(posConnector, context, renewal.accessToken)) }
}

/**
 * Laravel itself has no refresh route. This one takes the token in the header and replies as a login does.
 */
async function refresh(context: BrokerContext, stored: Secret): Promise<Renewal> {
  const reply = await post(context, 'refresh', {}, stored)
  const renewal = grantOf(context, reply)
  if (!renewal) throw reply.status < 300 ? badField(POS, reply, 'token') : readError(reply, 'refresh')
  return { ...renewal, ...(await proveFresh(posConnector, context, renewal.accessToken)) }
}

/**
 * The call for the own user (README, Endpoints). Throws WrongAccountError for another user than the
 * configured one.
 */
async function prove(context: BrokerContext, accessToken: Secret): Promise<Proof> {
  const reply = await read(context, 'me', accessToken)
  assertAuthenticated(reply)
  const user = userOf(reply)
  if (!user) throw readError(reply, 'me')
  assertConfiguredUser(context, user)
  const { id, name } = user
  return { userId: id, ...(name && { clientName: name }) }
}
