import * as z from 'zod/mini'
import { marketSession } from '../../markets/session.ts'
import { Secret } from '../../model/secrets/secret.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { BrokerContext, Proof, Renewal } from '../../ports/broker/broker-context.ts'
import { urlProblem } from '../shared/base-url.ts'
import { badField, callBroker } from '../shared/call.ts'
import { fyersRefusal } from './dead-token.ts'
import { ErrorReply, FYERS, FYERS_EDGE_BLOCK_S, fyersError } from './errors.ts'
import { appIdHash, fyersLogin } from './login.ts'

const REFRESH_PATH = '/api/v3/validate-refresh-token'
const PROFILE_PATH = '/api/v3/profile'
/**
 * FYERS has officially withdrawn refresh since April 2026: it is tried while it works, and nothing relies on
 * it (README, Renewal).
 */
const FYERS_REFRESH_ENABLED = true
/** The expiry of a token that has no `exp` (README, Expiry). */
const FYERS_ACCESS_EXPIRY_CLOCK = {
  kind: 'clock',
  at: '06:00',
  timeZone: 'Asia/Kolkata',
  day: 'first',
} as const
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
  displayName: FYERS,
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
      name: 'redirect_uri',
      label: "Redirect URI as registered, if it is not Tokenkeeper's own page",
      hidden: false,
      required: false,
      env: ['FYERS_REDIRECT_URI'],
      problem: urlProblem,
    },
    {
      name: 'pin',
      label: 'Four-digit PIN (only for unattended refresh)',
      hidden: true,
      required: false,
      env: ['FYERS_PIN'],
      lockAfter: 5,
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
  // UNCERTAIN whether a newer token ends the older one: taken for yes (README, Uncertain).
  sessions: 'one',
  session: {
    timeZone: 'Asia/Kolkata',
    accessToken: { earliestOf: [{ kind: 'jwt' }], otherwise: FYERS_ACCESS_EXPIRY_CLOCK },
    refreshToken: { earliestOf: [{ kind: 'jwt' }], otherwise: { kind: 'hours', hours: 15 * 24 } },
  },
  grants: [
    {
      kind: 'refresh_token',
      needs: ['client_id', 'client_secret', 'pin', 'refresh_token'],
      // The option refresh=off is for holders who know that FYERS has withdrawn it for them.
      enabled: (settings) => FYERS_REFRESH_ENABLED && settings.options?.['refresh'] !== 'off',
      // Three PIN uses a day (README, Limits); the token does not rotate, so a lost reply may be repeated.
      budget: { perDay: 3, minimumGapSeconds: 60 },
      repeatsAfterAmbiguity: 1,
      renew: refresh,
    },
  ],
  options: {
    refresh: 'off: a person logs in, no refresh is tried',
    pkce: 'on: the code is proven by PKCE in place of the app hash',
  },
  login: { how: 'log in at FYERS', code: fyersLogin },
  prove,
  authorization: '{client_id}:{access_token}',
  api: { hosts: ['FYERS_API'] },
  refusal: fyersRefusal,
  pacingSeconds: 1,
  concurrency: 1,
  schedule: { expressions: ['cron(0/15 6-8 ? * MON-FRI *)'], timeZone: 'Asia/Kolkata' },
  tradingSession: marketSession(['in-equity', 'in-fno']),
} as const satisfies Broker

/** The refresh call (README, Endpoints). */
async function refresh(context: BrokerContext): Promise<Renewal> {
  const reply = await callBroker(context, FYERS, {
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
    // "ok" without a token is no refusal; FYERS has changed its replies.
    if (ErrorReply.safeParse(reply.json).data?.s === 'ok') throw badField(FYERS, reply, 'access_token')
    throw fyersError(reply, 'nothing', 'refresh')
  }
  return {
    accessToken: new Secret(parsed.data.access_token),
    // FYERS does not rotate refresh tokens; if one ever arrives it is stored.
    ...(parsed.data.refresh_token && { refreshToken: new Secret(parsed.data.refresh_token) }),
    sentAt: reply.sentAt,
  }
}

/** The profile call (README, Endpoints). Its Authorization header has no "Bearer". */
async function prove(context: BrokerContext, accessToken: Secret): Promise<Proof> {
  const reply = await callBroker(context, FYERS, {
    method: 'GET',
    url: context.host('FYERS_API') + PROFILE_PATH,
    headers: { authorization: `${context.secret('client_id').reveal()}:${accessToken.reveal()}` },
    spends: 'nothing',
  })
  const parsed = ProfileReply.safeParse(reply.json)
  if (!parsed.success) throw fyersError(reply, 'nothing', 'read')
  const { fy_id: userId, name } = parsed.data.data
  return { userId, ...(name && { clientName: name }) }
}
