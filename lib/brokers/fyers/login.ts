import { createHash } from 'node:crypto'
import * as z from 'zod/mini'
import { ConfigurationError, GrantRejectedError, TokenkeeperError } from '../../model/errors.ts'
import { jwtClaims } from '../../model/expiry/jwt.ts'
import { Secret } from '../../model/secrets/secret.ts'
import type { BrokerContext, Renewal } from '../../ports/broker/broker-context.ts'
import type { Authorization, AuthorizationRequest, Callback, CodeLogin } from '../../ports/broker/login.ts'
import { badField, callBroker } from '../shared/call.ts'
import { ErrorReply, FYERS, FYERS_EDGE_BLOCK_S, fyersError } from './errors.ts'

const LOGIN_PATH = '/api/v3/generate-authcode'
const EXCHANGE_PATH = '/api/v3/validate-authcode'
/** The encoding of the challenge is not documented, so PKCE is an account's choice (README, Uncertain). */
const FYERS_PKCE = 'off'
/**
 * Seconds; an older code is not sent. Of two samples one lived this long, the other one much longer (README,
 * Expiry).
 */
const FYERS_AUTH_CODE_MAX_AGE_S = 300

const ExchangeReply = z.object({
  s: z.literal('ok'),
  access_token: z.string(),
  refresh_token: z.optional(z.string()),
})

/** FYERS' login: the code is called `auth_code`, and the app proves itself by a hash (README, Login and Endpoints). */
export const fyersLogin: CodeLogin = {
  needs: ['client_id', 'client_secret'],
  // Three exchanges in 15 s led to a block of ten minutes (README, Limits).
  budget: { perDay: 10, minimumGapSeconds: 60 },
  authorizationUrl,
  readCallback,
  exchange,
}

function authorizationUrl(context: BrokerContext, request: AuthorizationRequest): string {
  const query = new URLSearchParams({
    client_id: context.secret('client_id').reveal(),
    redirect_uri: request.redirectUri,
    response_type: 'code',
    state: request.state,
  })
  if (usesPkce(context)) query.set('code_challenge', challengeOf(request.codeVerifier))
  return `${context.host('FYERS_API')}${LOGIN_PATH}?${query}`
}

/** `code` is FYERS' status, 200; `s` and `code` may be missing (README, Uncertain). */
function readCallback(parameters: URLSearchParams): Callback {
  const authCode = parameters.get('auth_code')
  const userId = parameters.get('user_id')
  const said = parameters.get('s')
  if (!authCode) return { refusal: said === null || said === 'ok' ? 'no_auth_code' : said }
  return { code: new Secret(authCode), ...(userId && { userId }) }
}

async function exchange(context: BrokerContext, authorization: Authorization): Promise<Renewal> {
  const { code } = authorization
  await assertYoung(code, context)
  const reply = await callBroker(context, FYERS, {
    method: 'POST',
    url: context.host('FYERS_API') + EXCHANGE_PATH,
    json: { grant_type: 'authorization_code', code: code.reveal(), ...proofOfApp(context, authorization) },
    spends: 'credential',
    rateLimitSeconds: (edge) => (edge.bodyKind === 'html' ? FYERS_EDGE_BLOCK_S : 60),
  })
  const parsed = ExchangeReply.safeParse(reply.json)
  if (!parsed.success) {
    // "ok" without a token is no refusal; FYERS has changed its replies.
    if (ErrorReply.safeParse(reply.json).data?.s === 'ok') throw badField(FYERS, reply, 'access_token')
    throw fyersError(reply, 'credential', 'exchange')
  }
  const accessToken = new Secret(parsed.data.access_token)
  const userId = jwtClaims(accessToken)?.['fy_id']
  return {
    accessToken,
    ...(parsed.data.refresh_token && { refreshToken: new Secret(parsed.data.refresh_token) }),
    ...(typeof userId === 'string' && userId !== '' && { userId }),
    sentAt: reply.sentAt,
  }
}

/** The fields that prove to FYERS that the app is the one the code was made for. */
function proofOfApp(context: BrokerContext, { codeVerifier }: Authorization): Record<string, string> {
  if (!usesPkce(context)) {
    return { appIdHash: appIdHash(context.secret('client_id'), context.secret('client_secret')) }
  }
  if (codeVerifier) return { code_verifier: codeVerifier.reveal() }
  throw new ConfigurationError('with PKCE a bare code is not enough', {
    fix: 'paste the whole address the browser landed on: it says which login it belongs to',
  })
}

/** Lower-case hex of SHA-256("<app id with suffix>:<secret>") (README, Endpoints). */
export function appIdHash(clientId: Secret, clientSecret: Secret): string {
  return createHash('sha256').update(`${clientId.reveal()}:${clientSecret.reveal()}`).digest('hex')
}

/**
 * The challenge by S256 of RFC 7636 section 4.2. This is our choice, since FYERS does not say (README,
 * Uncertain).
 */
export function challengeOf(codeVerifier: Secret): string {
  return createHash('sha256').update(codeVerifier.reveal()).digest('base64url')
}

function usesPkce({ settings }: BrokerContext): boolean {
  return (settings.options?.['pkce'] ?? FYERS_PKCE) === 'on'
}

async function assertYoung(code: Secret, context: BrokerContext): Promise<void> {
  const issuedAt = jwtClaims(code)?.['iat']
  if (typeof issuedAt !== 'number') return
  const isYoung = (): boolean => secondsSince(issuedAt, context) <= FYERS_AUTH_CODE_MAX_AGE_S
  if (isYoung()) return
  // Our own clock may be wrong: it is compared with FYERS' clock before the code is given up.
  const isKnown = context.brokerDriftMs() !== undefined || (await asked(context))
  if (isKnown && isYoung()) return
  const minutes = FYERS_AUTH_CODE_MAX_AGE_S / 60
  throw new GrantRejectedError(
    isKnown
      ? `the authorization code is older than ${minutes} min`
      : `the authorization code is older than ${minutes} min by the clock of this machine, which may be wrong`,
    {
      fix: isKnown ? 'log in at FYERS again' : 'check the clock of this machine, then log in at FYERS again',
    },
  )
}

/** Seconds since `issuedAt` (epoch seconds), by the clock of FYERS as far as its replies have told it. */
function secondsSince(issuedAt: number, { clock, brokerDriftMs }: BrokerContext): number {
  return (clock.now().epochMilliseconds + (brokerDriftMs() ?? 0)) / 1000 - issuedAt
}

/** Sends a request to read FYERS' clock, which any reply tells; false where no reply came. */
async function asked(context: BrokerContext): Promise<boolean> {
  try {
    await callBroker(context, FYERS, { method: 'GET', url: context.host('FYERS_API'), spends: 'nothing' })
  } catch (error) {
    if (!(error instanceof TokenkeeperError)) throw error
  }
  return context.brokerDriftMs() !== undefined
}
