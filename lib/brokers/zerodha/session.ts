import { createHash } from 'node:crypto'
import * as z from 'zod/mini'
import { Secret } from '../../model/secrets/secret.ts'
import type { BrokerContext, Renewal } from '../../ports/broker/broker-context.ts'
import { badField, callBroker } from '../shared/call.ts'
import { kiteError, ZERODHA } from './errors.ts'

const EXCHANGE_PATH = '/session/token'
const RENEWAL_PATH = '/session/refresh_token'
/** Sent with every API call (README, Endpoints). */
export const KITE_VERSION = { 'x-kite-version': '3' } as const
/**
 * Whether a refresh token rotates is unknown; true means that one is never sent again after a lost reply
 * (README, Renewal).
 */
export const KITE_REFRESH_ROTATES = true

const SessionReply = z.object({
  status: z.literal('success'),
  data: z.object({
    user_id: z.string().check(z.minLength(1)),
    access_token: z.string().check(z.minLength(1)),
    refresh_token: z.nullish(z.string()),
  }),
})
const Success = z.object({ status: z.literal('success') })

/** Exchanges a request token, which works once (README, Login). Throws the errors of lib/model/errors.ts. */
export function exchangeRequestToken(context: BrokerContext, requestToken: Secret): Promise<Renewal> {
  return sessionFor(
    context,
    { path: EXCHANGE_PATH, field: 'request_token', during: 'exchange' },
    requestToken,
  )
}

/**
 * Renews by a refresh token, which only approved platforms have (README, Renewal). Throws the errors of
 * lib/model/errors.ts.
 */
export function renewByRefreshToken(context: BrokerContext): Promise<Renewal> {
  const refreshToken = context.secret('refresh_token')
  return sessionFor(context, { path: RENEWAL_PATH, field: 'refresh_token', during: 'renewal' }, refreshToken)
}

interface Endpoint {
  readonly path: string
  readonly field: 'request_token' | 'refresh_token'
  readonly during: 'exchange' | 'renewal'
}

/**
 * Calls one of the two session endpoints. Both take the API key, the presented token, and a checksum over
 * these and the secret.
 */
async function sessionFor(context: BrokerContext, endpoint: Endpoint, presented: Secret): Promise<Renewal> {
  const apiKey = context.secret('client_id')
  const spends = endpoint.during === 'exchange' || KITE_REFRESH_ROTATES ? 'credential' : 'nothing'
  const reply = await callBroker(context, ZERODHA, {
    method: 'POST',
    url: context.host('ZERODHA_API') + endpoint.path,
    headers: KITE_VERSION,
    form: {
      api_key: apiKey.reveal(),
      [endpoint.field]: presented.reveal(),
      checksum: kiteChecksum(apiKey, presented, context.secret('client_secret')),
    },
    spends,
  })
  const parsed = SessionReply.safeParse(reply.json)
  if (!parsed.success) {
    // "success" without a token is no refusal; Kite has changed its replies.
    if (Success.safeParse(reply.json).success)
      throw badField(ZERODHA, reply, 'data.access_token and data.user_id')
    throw kiteError(reply, spends, endpoint.during)
  }
  const { user_id: userId, access_token: accessToken, refresh_token: refreshToken } = parsed.data.data
  return {
    accessToken: new Secret(accessToken),
    // Ordinary apps get an empty string (README, Endpoints).
    ...(refreshToken && { refreshToken: new Secret(refreshToken) }),
    userId,
    sentAt: reply.sentAt,
  }
}

/** Lower-case hex of SHA-256("<API key><request or refresh token><API secret>") (README, Endpoints). */
export function kiteChecksum(apiKey: Secret, presented: Secret, apiSecret: Secret): string {
  return createHash('sha256')
    .update(apiKey.reveal() + presented.reveal() + apiSecret.reveal())
    .digest('hex')
}
