import * as z from 'zod/mini'
import { marketSession } from '../../markets/session.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { BrokerContext, Proof } from '../../ports/broker/broker-context.ts'
import { badField, callBroker } from '../shared/call.ts'
import { kiteRefusal } from './dead-token.ts'
import { kiteError, ZERODHA } from './errors.ts'
import { zerodhaLogin } from './login.ts'
import { KITE_REFRESH_ROTATES, KITE_VERSION, renewByRefreshToken } from './session.ts'

const PROFILE_PATH = '/user/profile'
/**
 * The SDK says 06:00 of the next day. After a login between midnight and 06:00 that may be the same morning
 * or a day later: the earlier time is assumed, and the proof tells (README, Expiry).
 */
const KITE_EXPIRY_RULE = { kind: 'clock', at: '06:00', timeZone: 'Asia/Kolkata', day: 'first' } as const

const Success = z.object({ status: z.literal('success') })
const ProfileReply = z.object({
  status: z.literal('success'),
  data: z.object({ user_id: z.string().check(z.minLength(1)), user_name: z.nullish(z.string()) }),
})

/**
 * Kite Connect v3: a person logs in each trading day, which Zerodha calls an exchange mandate, so there is no
 * unattended login here. Platforms approved by Zerodha also get a refresh token, which is used.
 *
 * Consumers send `Authorization: token <API key>:<access token>`; they have the API key already.
 */
export const zerodha = {
  id: 'zerodha',
  displayName: ZERODHA,
  hosts: { ZERODHA_API: 'https://api.kite.trade', ZERODHA_LOGIN: 'https://kite.zerodha.com' },
  credentials: [
    {
      name: 'client_id',
      label: 'API key',
      hidden: false,
      required: true,
      env: ['KITE_API_KEY'],
      // The key is sent in a header, before a colon.
      problem: (value) =>
        /^[\x21-\x39\x3b-\x7e]+$/.test(value) ? undefined : 'it must not hold spaces or a colon',
    },
    { name: 'client_secret', label: 'API secret', hidden: true, required: true, env: ['KITE_API_SECRET'] },
    {
      name: 'redirect_uri',
      label: "Redirect URL as registered with the app, if it is not Tokenkeeper's own page",
      hidden: false,
      required: false,
      env: ['KITE_REDIRECT_URL'],
      problem: (value) => (URL.canParse(value) ? undefined : 'it must be a whole URL'),
    },
    {
      name: 'refresh_token',
      label: 'Refresh token (only platforms approved by Zerodha have one)',
      hidden: true,
      required: false,
      env: ['KITE_REFRESH_TOKEN'],
    },
  ],
  // UNCERTAIN whether a newer token ends the older one: taken for yes (README, Uncertain).
  sessions: 'one',
  session: {
    timeZone: 'Asia/Kolkata',
    accessToken: { earliestOf: [KITE_EXPIRY_RULE], otherwise: KITE_EXPIRY_RULE },
  },
  grants: [
    {
      kind: 'refresh_token',
      needs: ['client_id', 'client_secret', 'refresh_token'],
      // As for the login, ten a day; nothing is published about renewals (README, Limits).
      budget: { perDay: 10, minimumGapSeconds: 60 },
      repeatsAfterAmbiguity: KITE_REFRESH_ROTATES ? 0 : 1,
      renew: renewByRefreshToken,
    },
  ],
  login: { how: 'log in at Zerodha', code: zerodhaLogin },
  prove,
  authorization: 'token {client_id}:{access_token}',
  api: { hosts: ['ZERODHA_API'], headers: KITE_VERSION },
  refusal: kiteRefusal,
  pacingSeconds: 1,
  concurrency: 1,
  schedule: { expressions: ['cron(0/15 6-8 ? * MON-FRI *)'], timeZone: 'Asia/Kolkata' },
  tradingSession: marketSession(['in-equity', 'in-fno']),
} as const satisfies Broker

/** The profile call (README, Endpoints). */
async function prove(context: BrokerContext, accessToken: Secret): Promise<Proof> {
  const reply = await callBroker(context, ZERODHA, {
    method: 'GET',
    url: context.host('ZERODHA_API') + PROFILE_PATH,
    headers: {
      ...KITE_VERSION,
      authorization: `token ${context.secret('client_id').reveal()}:${accessToken.reveal()}`,
    },
    spends: 'nothing',
  })
  const parsed = ProfileReply.safeParse(reply.json)
  if (!parsed.success) {
    if (Success.safeParse(reply.json).success) throw badField(ZERODHA, reply, 'data.user_id')
    throw kiteError(reply, 'nothing', 'read')
  }
  const { user_id: userId, user_name: name } = parsed.data.data
  return { userId, ...(name && { clientName: name }) }
}
