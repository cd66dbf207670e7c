import { Secret } from '../../model/secrets/secret.ts'
import type { BrokerContext } from '../../ports/broker/broker-context.ts'
import type { AuthorizationRequest, Callback, CodeLogin } from '../../ports/broker/login.ts'
import { exchangeRequestToken } from './session.ts'

const LOGIN_PATH = '/connect/login'

/**
 * Kite's login: it redirects with a request token, always to the address registered with the app. Kite has no
 * `state` and no PKCE; our state travels in `redirect_params` (README, Login).
 */
export const zerodhaLogin: CodeLogin = {
  needs: ['client_id', 'client_secret'],
  // Ten logins a day (README, Limits). Tokenkeeper exchanges a request token only once.
  budget: { perDay: 10, minimumGapSeconds: 1 },
  authorizationUrl,
  readCallback,
  exchange: (context, { code }) => exchangeRequestToken(context, code),
}

/** `redirect_params` is a query within a query: Kite decodes it once and appends it to the redirect. */
function authorizationUrl(context: BrokerContext, { state }: AuthorizationRequest): string {
  const query = new URLSearchParams({
    v: '3',
    api_key: context.secret('client_id').reveal(),
    redirect_params: new URLSearchParams({ state }).toString(),
  })
  return `${context.host('ZERODHA_LOGIN')}${LOGIN_PATH}?${query}`
}

/** Only the request token must be there (README, Login). With a `status` other than success it is ignored. */
function readCallback(parameters: URLSearchParams): Callback {
  const requestToken = parameters.get('request_token')
  const status = parameters.get('status') ?? 'success'
  if (status !== 'success') return { refusal: status }
  return requestToken ? { code: new Secret(requestToken) } : { refusal: 'no_request_token' }
}
