import { Secret } from '../../model/secret.ts'
import type { BrokerContext } from '../../ports/broker/broker-context.ts'
import type { AuthorizationRequest, Callback, CodeLogin } from '../../ports/broker/login.ts'
import { exchangeRequestToken } from './session.ts'

const LOGIN_PATH = '/connect/login'

/**
 * Kite's login: a request token comes back to the address registered with the app, the one address Kite ever
 * redirects to. There is no `state` of Kite's own and no PKCE; ours travels in `redirect_params` (README, Login).
 */
export const zerodhaLogin: CodeLogin = {
  needs: ['client_id', 'client_secret'],
  // Ten logins a day (README, Limits); a request token is exchanged once by construction.
  budget: { perDay: 10, minimumGapSeconds: 1 },
  authorizationUrl,
  readCallback,
  exchange: (context, { code }) => exchangeRequestToken(context, code),
}

/** A query within a query: Kite decodes `redirect_params` once and appends it to the redirect. */
function authorizationUrl(context: BrokerContext, { state }: AuthorizationRequest): string {
  const query = new URLSearchParams({
    v: '3',
    api_key: context.secret('client_id').reveal(),
    redirect_params: new URLSearchParams({ state }).toString(),
  })
  return `${context.host('ZERODHA_LOGIN')}${LOGIN_PATH}?${query}`
}

/** The request token is all that must be there (README, Login); a `status` other than success takes it back. */
function readCallback(parameters: URLSearchParams): Callback {
  const requestToken = parameters.get('request_token')
  const status = parameters.get('status') ?? 'success'
  if (status !== 'success') return { refusal: status }
  return requestToken ? { code: new Secret(requestToken) } : { refusal: 'no_request_token' }
}
