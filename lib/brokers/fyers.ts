import { createHash } from 'node:crypto'
import * as z from 'zod/mini'
import type { Broker, BrokerContext, Proof, Renewal } from '../ports/broker.ts'
import {
  ClientRejectedError,
  GrantRejectedError,
  RateLimitedError,
  type TokenkeeperError,
  UnexpectedResponseError,
} from '../tokens/errors.ts'
import { Secret } from '../tokens/secret.ts'
import { type BrokerReply, badField, callBroker, errorByStatus, type Spends } from './call.ts'

const NAME = 'FYERS'
const REFRESH_PATH = '/api/v3/validate-refresh-token'
const PROFILE_PATH = '/api/v3/profile'
/** Officially withdrawn since April 2026: tried once, never planned on (sheet section 10). */
const FYERS_REFRESH_ENABLED = true
/** Decides only when the token has no `exp` (sheet section 10). */
const FYERS_ACCESS_EXPIRY_CLOCK = {
  kind: 'clock',
  at: '06:00',
  timeZone: 'Asia/Kolkata',
  day: 'first',
} as const
/** An edge block by Cloudflare comes as HTML and lasts about ten minutes (sheet section 7). */
const FYERS_EDGE_BLOCK_S = 600

// Error codes of sheet section 5, by what they mean for us.
const DEAD_TOKEN_CODES: readonly number[] = [-8, -15, -16, -17, -437, -501]
const CLIENT_CODES: readonly number[] = [-371, -373, -374, -441, -352, -50, -99, -300]
const RATE_LIMIT_CODES: readonly number[] = [-429, -353]
const PASSING_CODES: readonly number[] = [-96, -201, -202, -204, -205]

const ErrorReply = z.object({ s: z.string(), code: z.optional(z.number()) })
const TokenReply = z.object({
  s: z.literal('ok'),
  access_token: z.string(),
  refresh_token: z.optional(z.string()),
})
const ProfileReply = z.object({
  s: z.literal('ok'),
  data: z.object({ fy_id: z.string().check(z.minLength(1)), name: z.nullish(z.string()) }),
})

/** FYERS API v3: a person logs in each trading day; a stored refresh token with its PIN is used while FYERS accepts it. */
export const fyers = {
  id: 'fyers',
  displayName: NAME,
  hosts: { FYERS_API: 'https://api-t1.fyers.in' },
  credentials: [
    {
      name: 'client_id',
      label: 'App id with its suffix, such as ABCDEFGH12-100',
      hidden: false,
      required: true,
      env: ['FYERS_CLIENT_ID'],
      problem: (value) =>
        /^[A-Za-z0-9]+-\d+$/.test(value) ? undefined : 'it must end in a suffix such as -100',
    },
    { name: 'client_secret', label: 'App secret', hidden: true, required: true, env: ['FYERS_APP_SECRET'] },
    {
      name: 'pin',
      label: 'Four-digit PIN (only for unattended refresh)',
      hidden: true,
      required: false,
      env: ['FYERS_PIN'],
      problem: (value) => (/^\d{4}$/.test(value) ? undefined : 'it must be four digits'),
    },
    {
      name: 'refresh_token',
      label: 'Refresh token',
      hidden: true,
      required: false,
      env: ['FYERS_REFRESH_TOKEN'],
    },
  ],
  session: {
    timeZone: 'Asia/Kolkata',
    accessToken: { earliestOf: [{ kind: 'jwt' }], otherwise: FYERS_ACCESS_EXPIRY_CLOCK },
    refreshToken: { earliestOf: [{ kind: 'jwt' }], otherwise: { kind: 'hours', hours: 15 * 24 } },
  },
  grants: [
    {
      kind: 'refresh_token',
      needs: ['client_id', 'client_secret', 'pin', 'refresh_token'],
      // Off for an account whose holder knows that FYERS has withdrawn it: --option refresh=off.
      enabled: (settings) => FYERS_REFRESH_ENABLED && settings.options?.['refresh'] !== 'off',
      // Three PIN uses a day (sheet section 7); the token does not rotate, so a lost reply may be repeated.
      budget: { perDay: 3, minimumGapSeconds: 60 },
      repeatsAfterAmbiguity: 1,
      renew: refresh,
    },
  ],
  options: { refresh: 'off: a person logs in, no refresh is tried' },
  login: { how: 'log in at FYERS' },
  prove,
  pacingSeconds: 1,
  concurrency: 1,
  schedule: { expressions: ['cron(0/30 6-8 ? * MON-FRI *)'], timeZone: 'Asia/Kolkata' },
  tradingSession: { timeZone: 'Asia/Kolkata', opens: '09:15', closes: '15:30' },
} as const satisfies Broker

/** The request of sheet section 3.3. */
async function refresh(context: BrokerContext): Promise<Renewal> {
  const reply = await callBroker(context, NAME, {
    method: 'POST',
    url: context.host('FYERS_API') + REFRESH_PATH,
    json: {
      grant_type: 'refresh_token',
      appIdHash: appIdHash(context.secret('client_id'), context.secret('client_secret')),
      refresh_token: context.secret('refresh_token').reveal(),
      pin: context.secret('pin').reveal(),
    },
    spends: 'nothing',
    rateLimitSeconds: (edge) => (edge.bodyKind === 'html' ? FYERS_EDGE_BLOCK_S : 60),
  })
  const parsed = TokenReply.safeParse(reply.json)
  if (!parsed.success) {
    // "ok" without a token is no refusal: the contract changed.
    if (ErrorReply.safeParse(reply.json).data?.s === 'ok') throw badField(NAME, reply, 'access_token')
    throw errorOf(reply, 'nothing', 'refresh')
  }
  return {
    accessToken: new Secret(parsed.data.access_token),
    // FYERS does not rotate refresh tokens; if one ever arrives it is stored.
    ...(parsed.data.refresh_token && { refreshToken: new Secret(parsed.data.refresh_token) }),
    sentAt: reply.sentAt,
  }
}

/** The profile call of sheet section 3.4; the header has no "Bearer". */
async function prove(context: BrokerContext, accessToken: Secret): Promise<Proof> {
  const reply = await callBroker(context, NAME, {
    method: 'GET',
    url: context.host('FYERS_API') + PROFILE_PATH,
    headers: { authorization: `${context.secret('client_id').reveal()}:${accessToken.reveal()}` },
    spends: 'nothing',
  })
  const parsed = ProfileReply.safeParse(reply.json)
  if (!parsed.success) throw errorOf(reply, 'nothing', 'read')
  const { fy_id: userId, name } = parsed.data.data
  return { userId, ...(name && { clientName: name }) }
}

/** Lower-case hex of SHA-256("<app id with suffix>:<secret>") (sheet section 3.2). */
export function appIdHash(clientId: Secret, clientSecret: Secret): string {
  return createHash('sha256').update(`${clientId.reveal()}:${clientSecret.reveal()}`).digest('hex')
}

/** Reads the body first: FYERS reports failures under varying statuses (sheet section 5). */
function errorOf(reply: BrokerReply, spends: Spends, during: 'refresh' | 'read'): TokenkeeperError {
  const code = ErrorReply.safeParse(reply.json).data?.code
  if (code === undefined || reply.status >= 500) return errorByStatus(NAME, reply, spends)
  const details = { brokerCode: String(code) }
  if (RATE_LIMIT_CODES.includes(code)) {
    const fix = 'nothing to do: it is tried again later'
    return new RateLimitedError('FYERS throttles us', { ...details, retryAfterSeconds: 60, fix })
  }
  if (PASSING_CODES.includes(code)) return errorByStatus(NAME, { ...reply, status: 503 }, spends)
  // A refusal of the app is no refusal of the grant: a login by the same app would fail as well.
  if (CLIENT_CODES.includes(code)) {
    return new ClientRejectedError('FYERS refuses this app', {
      ...details,
      fix: 'check app id (with its suffix), app secret and permissions: tokenkeeper setup {account}',
    })
  }
  if (during === 'refresh' || DEAD_TOKEN_CODES.includes(code)) {
    // On refresh any unknown code counts: it may be a wrong PIN or the withdrawal of refresh (sheet section 10).
    const what =
      during === 'refresh' ? 'FYERS refused the refresh token or its PIN' : 'FYERS says the token is dead'
    return new GrantRejectedError(what, { ...details, fix: 'log in at FYERS' })
  }
  return new UnexpectedResponseError('FYERS answered with an unknown error code', {
    ...details,
    status: reply.status,
    fix: 'report it: FYERS may have changed its replies; the stored token was kept',
  })
}
