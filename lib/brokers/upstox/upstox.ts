import { marketSession } from '../../markets/session.ts'
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
 * Upstox API v2: a person logs in or approves in the app each trading day, and there is no refresh grant.
 * Where a token service gets the tokens from that person (host TOKEN_SERVICE), they are copied from it.
 *
 * TOKEN_SERVICE is a base URL: a path prefix is allowed, and a trailing slash does not matter. The account's
 * name there is its option `upstreamAccountId`, else its own name, else `default`.
 */
export const upstox = {
  id: 'upstox',
  displayName: UPSTOX,
  hosts: { UPSTOX_API: 'https://api.upstox.com', TOKEN_SERVICE: undefined },
  // None is required, since an account of a token service has no app of its own.
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
      // Counts as published only once a run has proven it.
      name: 'access_token',
      label: 'Access token, if you have a live one',
      hidden: true,
      required: false,
      env: ['UPSTOX_ACCESS_TOKEN'],
    },
    {
      // Optional (README, Token service); where the token service is another Tokenkeeper, it wants one.
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
      // Off for an account that has its own app, beside those of a token service.
      enabled: ({ options = {} }, hosts) =>
        hosts['TOKEN_SERVICE'] !== undefined && options['upstream'] !== 'off',
      // One refresh a minute, twenty a day (README, Limits).
      budget: { perDay: 20, minimumGapSeconds: 60 },
      // Each attempt reads the current token first, so a repeat is never blind.
      repeatsAfterAmbiguity: 'budget',
      // The login is approved at the token service, where we cannot see it: the next scheduled run looks
      // again.
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
  // Upstox' limits count per user and not per address (README, Limits); this pace is for the token service.
  pacingSeconds: 0.2,
  concurrency: 4,
  schedule: {
    expressions: ['cron(0 8 * * ? *)', 'cron(15/15 8 ? * MON-FRI *)'],
    timeZone: 'Asia/Kolkata',
  },
  tradingSession: marketSession(['in-equity', 'in-fno']),
} as const satisfies Broker
