import * as z from 'zod/mini'
import { marketSession } from '../../markets/session.ts'
import { BrokerUnavailableError, ConfigurationError } from '../../model/errors.ts'
import { Secret } from '../../model/secrets/secret.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { BrokerContext, Proof, Renewal } from '../../ports/broker/broker-context.ts'
import { HttpError } from '../../ports/http.ts'
import { type BrokerCall, type BrokerReply, badField, callBroker } from '../shared/call.ts'
import { proveFresh } from '../shared/fresh-token.ts'
import { xtsRefusal } from './dead-token.ts'
import { hostGone, XTS, xtsError } from './errors.ts'

/** From a community report; the owner can override it (README, Endpoints). */
const XTS_ROOT = 'https://ttblaze.iifl.com'
/** Some configurations spell it WEBAPI (README, Uncertain). */
const XTS_SOURCE = 'WebAPI'
/**
 * No lifetime is published. A token counts as dead from this time on, so that each trading day has a fresh
 * login (README, Expiry).
 */
const XTS_DAILY_LOGIN_CLOCK = { kind: 'clock', at: '07:30', timeZone: 'Asia/Kolkata', day: 'first' } as const

/** The products (README, Endpoints); each has keys and tokens of its own. */
const APIS = {
  interactive: { login: '/interactive/user/session', probe: '/interactive/user/profile' },
  // No read call of market data is documented, so only a login proves its token (README, Identity).
  marketdata: { login: '/apimarketdata/auth/login', probe: undefined },
} as const

/**
 * The code of a success is not known, so `type` decides, together with a token where one is expected (README,
 * Uncertain).
 */
const Success = z.object({ type: z.literal('success') })
const LoginReply = z.extend(Success, {
  result: z.object({ token: z.string().check(z.minLength(1)), userID: z.string().check(z.minLength(1)) }),
})

/** IIFL's older interface ("Blaze", by Symphony Fintech): app key and secret give a token, no person is involved. */
export const iiflXts = {
  id: 'iifl-xts',
  displayName: XTS,
  hosts: { IIFL_XTS_API: XTS_ROOT },
  credentials: [
    { name: 'client_id', label: 'App key', hidden: true, required: true, env: ['IIFL_XTS_APP_KEY'] },
    {
      name: 'client_secret',
      label: 'Secret key',
      hidden: true,
      required: true,
      env: ['IIFL_XTS_SECRET_KEY'],
    },
  ],
  // UNCERTAIN whether a newer token ends the older one: taken for yes (README, Uncertain).
  sessions: 'one',
  session: {
    timeZone: 'Asia/Kolkata',
    accessToken: { earliestOf: [{ kind: 'jwt' }, XTS_DAILY_LOGIN_CLOCK], otherwise: XTS_DAILY_LOGIN_CLOCK },
  },
  grants: [
    {
      kind: 'credentials',
      needs: ['client_id', 'client_secret'],
      // Our own limits; IIFL publishes none (README, Limits).
      budget: { perDay: 10, minimumGapSeconds: 60 },
      repeatsAfterAmbiguity: 'budget',
      renew: logIn,
    },
  ],
  options: { api: 'interactive (default) or marketdata', clientID: 'the client, for dealer accounts' },
  prove,
  provable: ({ options }) => options?.['api'] !== 'marketdata',
  authorization: '{access_token}',
  api: { hosts: ['IIFL_XTS_API'] },
  refusal: xtsRefusal,
  pacingSeconds: 2,
  concurrency: 1,
  schedule: {
    expressions: ['cron(30/15 7 ? * MON-FRI *)', 'cron(0/15 8 ? * MON-FRI *)'],
    timeZone: 'Asia/Kolkata',
  },
  tradingSession: marketSession(['in-equity', 'in-fno']),
  warning:
    'This interface has no second factor at login, which the Indian rules demand since April 2026: expect IIFL to ' +
    'close it. Interactive and market data have separate keys: set up one account for each.',
} as const satisfies Broker

/**
 * The login (README, Endpoints). Only its reply names the user. It may end the older session, so the run
 * publishes the new token at once.
 */
async function logIn(context: BrokerContext): Promise<Renewal> {
  const reply = await call(context, {
    method: 'POST',
    url: context.host('IIFL_XTS_API') + apiOf(context).login,
    json: {
      appKey: context.secret('client_id').reveal(),
      secretKey: context.secret('client_secret').reveal(),
      source: XTS_SOURCE,
    },
    // The same keys may be sent again: none of them is single-use (README, Login).
    spends: 'nothing',
  })
  const parsed = LoginReply.safeParse(reply.json)
  if (reply.status >= 500 || !parsed.success) {
    const [issue] = parsed.error?.issues ?? []
    throw Success.safeParse(reply.json).success && issue
      ? badField(XTS, reply, issue.path.join('.'))
      : xtsError(reply, 'login')
  }
  const accessToken = new Secret(parsed.data.result.token)
  const { userID: userId } = parsed.data.result
  if (apiOf(context).probe === undefined) return { accessToken, sentAt: reply.sentAt, proof: { userId } }
  return { accessToken, sentAt: reply.sentAt, userId, ...(await proveFresh(iiflXts, context, accessToken)) }
}

/**
 * Any success proves the token. It does not name the user; only the login's reply does (README, Identity).
 */
async function prove(context: BrokerContext, accessToken: Secret): Promise<Partial<Proof>> {
  const { probe } = apiOf(context)
  if (probe === undefined) throw new Error('market data is proven by its login alone')
  const clientId = context.settings.options?.['clientID']
  const reply = await call(context, {
    method: 'GET',
    // A dealer's account must name one of its clients (README, Endpoints).
    url:
      context.host('IIFL_XTS_API') +
      probe +
      (clientId ? `?${new URLSearchParams({ clientID: clientId })}` : ''),
    // Without "Bearer" (README, Endpoints).
    headers: { authorization: accessToken.reveal() },
    spends: 'nothing',
  })
  if (reply.status >= 500 || !Success.safeParse(reply.json).success) throw xtsError(reply, 'read')
  return {}
}

function apiOf(context: BrokerContext): (typeof APIS)[keyof typeof APIS] {
  const api = context.settings.options?.['api'] ?? 'interactive'
  if (api === 'interactive' || api === 'marketdata') return APIS[api]
  throw new ConfigurationError(
    `the option "api" of ${context.account} is neither interactive nor marketdata`,
    {
      fix: `run tokenkeeper setup ${context.account}`,
    },
  )
}

async function call(context: BrokerContext, request: BrokerCall): Promise<BrokerReply> {
  try {
    return await callBroker(context, XTS, request)
  } catch (error) {
    const { cause } = error as Error
    const gone =
      error instanceof BrokerUnavailableError && cause instanceof HttpError && cause.reason === 'ENOTFOUND'
    throw gone ? hostGone('its name is unknown', error) : error
  }
}
