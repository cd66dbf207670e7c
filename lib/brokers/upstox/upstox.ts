import type { Broker } from '../../ports/broker/broker.ts'
import { urlProblem } from '../shared/base-url.ts'
import { upstoxApproval } from './approval.ts'
import { UPSTOX_DEATH } from './death.ts'
import { UPSTOX } from './errors.ts'
import { upstoxGuide } from './guide.ts'
import { upstoxLogin } from './login.ts'
import { proveUpstox } from './profile.ts'
import { renewFromTokenService } from './upstream.ts'

/**
 * Upstox API v2: a person logs in or approves in the app each trading day, and there is no refresh grant. Where a
 * token service stands in front of that person (host TOKEN_SERVICE), tokens are copied from it.
 *
 * TOKEN_SERVICE is a base URL: a path prefix is allowed and a trailing slash does not matter. An account is
 * called upstream as its option `upstreamAccountId` says, else by its own name, else `default`.
 */
export const upstox = {
  id: 'upstox',
  displayName: UPSTOX,
  hosts: { UPSTOX_API: 'https://api.upstox.com', TOKEN_SERVICE: undefined },
  // None is required: an account of a token service has no app of its own.
  credentials: [
    { name: 'client_id', label: 'API key', hidden: false, required: false, env: ['UPSTOX_API_KEY'] },
    { name: 'client_secret', label: 'API secret', hidden: true, required: false, env: ['UPSTOX_API_SECRET'] },
    {
      name: 'redirect_uri',
      label: "Redirect URI as in the app, if it is not Tokenkeeper's own page",
      hidden: false,
      required: false,
      env: ['UPSTOX_REDIRECT_URI'],
      problem: urlProblem,
    },
    {
      // Not ours until a run has proven it live.
      name: 'access_token',
      label: 'Access token, if you have a live one',
      hidden: true,
      required: false,
      env: ['UPSTOX_ACCESS_TOKEN'],
    },
    {
      // None by default (README, Token service); another Tokenkeeper wants one.
      name: 'password',
      label: 'Key of the token service, if it wants one',
      hidden: true,
      required: false,
      env: ['TOKEN_REFRESH_SERVICE_KEY'],
    },
  ],
  // UNCERTAIN whether a newer token ends the older one: taken for yes (README, Uncertain).
  sessions: 'one',
  session: {
    timeZone: 'Asia/Kolkata',
    accessToken: { earliestOf: [{ kind: 'jwt' }, { kind: 'reply' }, UPSTOX_DEATH], otherwise: UPSTOX_DEATH },
  },
  grants: [
    {
      kind: 'upstream',
      needs: [],
      // An account with an app of its own may stand beside those of a token service.
      enabled: ({ options = {} }, hosts) =>
        hosts['TOKEN_SERVICE'] !== undefined && options['upstream'] !== 'off',
      // One refresh a minute, twenty a day (README, Limits).
      budget: { perDay: 20, minimumGapSeconds: 60 },
      // Each attempt looks at the current token first, so none is blind.
      repeatsAfterAmbiguity: 'budget',
      // Whoever approves the login does so upstream, where we cannot see it: the next scheduled run looks again.
      refusalStandsMinutes: 5,
      renew: renewFromTokenService,
    },
  ],
  options: {
    upstreamAccountId: 'what the token service calls the account',
    upstream: 'off: this account is none of the token service',
  },
  guide: upstoxGuide,
  login: { how: 'log in at Upstox', code: upstoxLogin, approval: upstoxApproval },
  prove: proveUpstox,
  api: {
    hosts: ['UPSTOX_API'],
    // Orders, and a name of the same API that its OpenAPI file gives (README, Endpoints).
    origins: ['https://api-hft.upstox.com', 'https://api-v2.upstox.com'],
  },
  // Limits count per user, not per address (README, Limits); this is for the token service's sake.
  pacingSeconds: 0.2,
  concurrency: 4,
  schedule: {
    expressions: ['cron(0 8 * * ? *)', 'cron(15/15 8 ? * MON-FRI *)'],
    timeZone: 'Asia/Kolkata',
  },
  tradingSession: { timeZone: 'Asia/Kolkata', opens: '09:15', closes: '15:30' },
} as const satisfies Broker
