import * as z from 'zod/mini'
import { Secret } from '../../model/secrets/secret.ts'
import type { BrokerContext, Renewal } from '../../ports/broker/broker-context.ts'
import type { Authorization, AuthorizationRequest, Callback, CodeLogin } from '../../ports/broker/login.ts'
import { badField, callBroker } from '../shared/call.ts'
import { UPSTOX, upstoxError, upstoxErrorCode } from './errors.ts'

const DIALOG_PATH = '/v2/login/authorization/dialog'
const EXCHANGE_PATH = '/v2/login/authorization/token'

/**
 * The reply is flat, without the envelope of other replies (README, Endpoints). `expires_in` and
 * `refresh_token`, which only some versions of the docs have, are not read: what they say of the lifetime is
 * wrong (UPSTOX_TRUST_EXPIRES_IN = false).
 */
const ExchangeReply = z.object({ access_token: z.string(), user_id: z.optional(z.string()) })

/** Upstox' login dialog and the exchange of its code, which is spent by the first attempt (README, Login). */
export const upstoxLogin: CodeLogin = {
  needs: ['client_id', 'client_secret'],
  budget: { perDay: 10, minimumGapSeconds: 1 },
  authorizationUrl,
  readCallback,
  exchange,
}

function authorizationUrl(context: BrokerContext, { state, redirectUri }: AuthorizationRequest): string {
  const query = new URLSearchParams({
    client_id: context.secret('client_id').reveal(),
    redirect_uri: redirectUri,
    response_type: 'code',
    state,
  })
  return `${context.host('UPSTOX_API')}${DIALOG_PATH}?${query}`
}

function readCallback(parameters: URLSearchParams): Callback {
  const code = parameters.get('code')
  return code ? { code: new Secret(code) } : { refusal: parameters.get('error') ?? 'no_code' }
}

/** The exchange (README, Endpoints). The code is never sent again, whatever was replied. */
async function exchange(context: BrokerContext, { code, redirectUri }: Authorization): Promise<Renewal> {
  const reply = await callBroker(context, UPSTOX, {
    method: 'POST',
    url: context.host('UPSTOX_API') + EXCHANGE_PATH,
    form: {
      code: code.reveal(),
      client_id: context.secret('client_id').reveal(),
      client_secret: context.secret('client_secret').reveal(),
      redirect_uri: redirectUri,
      grant_type: 'authorization_code',
    },
    spends: 'credential',
  })
  const parsed = ExchangeReply.safeParse(reply.json)
  if (!parsed.success) {
    const isSuccess = reply.status === 200 && reply.bodyKind === 'json' && !upstoxErrorCode(reply)
    throw isSuccess ? badField(UPSTOX, reply, 'access_token') : upstoxError(reply, 'exchange')
  }
  const { access_token: accessToken, user_id: userId } = parsed.data
  return { accessToken: new Secret(accessToken), ...(userId && { userId }), sentAt: reply.sentAt }
}
