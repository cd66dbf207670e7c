import { ConfigurationError } from '../../model/errors.ts'
import { Secret } from '../../model/secrets/secret.ts'
import type { BrokerContext } from '../../ports/broker/broker-context.ts'
import type { AuthorizationRequest, Callback, CodeLogin } from '../../ports/broker/login.ts'
import { urlProblem } from '../shared/base-url.ts'
import { sessionFor } from './session.ts'

/** Sources spell this parameter in three ways; the official document spells it so (README, Uncertain). */
const IIFL_REDIRECT_PARAM = 'redirecturl'
/** Each of these names has been seen in the redirect (README, Login). */
const CODE_NAMES = ['authCode', 'authcode', 'code'] as const
const CLIENT_NAMES = ['clientId', 'clientid'] as const

/**
 * IIFL's documented login (README, Login). It has no `state` of its own, so ours travels as a parameter of
 * the redirect URL. The redirect names the user.
 */
export const iiflLogin: CodeLogin = {
  needs: ['user_id', 'client_id', 'client_secret'],
  // /getusersession takes three calls a second (README, Limits). Tokenkeeper exchanges a code only once.
  budget: { perDay: 10, minimumGapSeconds: 1 },
  authorizationUrl,
  readCallback,
  exchange: (context, { code }) => sessionFor(context, code),
}

function authorizationUrl(context: BrokerContext, { state, redirectUri }: AuthorizationRequest): string {
  const problem = urlProblem(redirectUri)
  if (problem !== undefined) {
    throw new ConfigurationError(`redirect_uri is malformed: ${problem}`, {
      fix: 'store the one registered with the app: tokenkeeper put {account} redirect_uri',
    })
  }
  const back = new URL(redirectUri)
  back.searchParams.set('state', state)
  const query = new URLSearchParams({
    v: '1',
    appkey: context.secret('client_id').reveal(),
    [IIFL_REDIRECT_PARAM]: back.href,
  })
  return `${context.host('IIFL_LOGIN')}/?${query}`
}

function readCallback(parameters: URLSearchParams): Callback {
  const code = firstOf(parameters, CODE_NAMES)
  const userId = firstOf(parameters, CLIENT_NAMES)
  return { ...(code ? { code: new Secret(code) } : { refusal: 'no_auth_code' }), ...(userId && { userId }) }
}

function firstOf(parameters: URLSearchParams, names: readonly string[]): string | undefined {
  return names.map((name) => parameters.get(name)).find((value) => value) ?? undefined
}
