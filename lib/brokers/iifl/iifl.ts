import * as z from 'zod/mini'
import { marketSession } from '../../markets/session.ts'
import { GrantRejectedError, WrongAccountError } from '../../model/errors.ts'
import { jwtClaims } from '../../model/expiry/jwt.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { BrokerContext, Proof, Renewal } from '../../ports/broker/broker-context.ts'
import { urlProblem } from '../shared/base-url.ts'
import { apiUrl, askIifl } from './call.ts'
import { iiflRefusal } from './dead-token.ts'
import { missing } from './errors.ts'
import { afterPassword, headlessAuthCode } from './headless.ts'
import { iiflLogin } from './login.ts'
import { sessionFor } from './session.ts'

/**
 * The expiry of a session that has no `exp`. IIFL publishes no time, so only the proof is certain (README,
 * Expiry).
 */
const IIFL_FALLBACK_EXPIRY_CLOCK = {
  kind: 'clock',
  at: '06:00',
  timeZone: 'Asia/Kolkata',
  day: 'next',
} as const
/**
 * Pause before the profile call is repeated: a Not_Ok without a code, or a 401, is believed only the second
 * time (README, Errors).
 */
const SECOND_LOOK_MS = 2_000
/** The claim of the session that holds the client id (README, Expiry). */
const CLIENT_ID_CLAIM = 'preferred_username'

const ProfileReply = z.object({
  result: z.object({ clientId: z.string().check(z.minLength(1)), clientName: z.nullish(z.string()) }),
})

/** IIFL Capital: unattended with password and TOTP secret where the owner stored both, else a person logs in each day. */
export const iifl = {
  id: 'iifl',
  displayName: 'IIFL Capital',
  hosts: {
    IIFL_API: 'https://api.iiflcapital.com',
    IIFL_IDAAS: 'https://idaas.iiflsecurities.com',
    IIFL_LOGIN: 'https://markets.iiflcapital.com',
  },
  credentials: [
    {
      name: 'user_id',
      label: 'Client id (user id)',
      hidden: false,
      required: true,
      env: ['IIFL_USER_ID'],
      problem: (value) => (/^[A-Za-z0-9]+$/.test(value) ? undefined : 'it must be letters and digits only'),
    },
    { name: 'client_id', label: 'App key', hidden: true, required: true, env: ['IIFL_APP_KEY'] },
    { name: 'client_secret', label: 'App secret', hidden: true, required: true, env: ['IIFL_APP_SECRET'] },
    {
      name: 'redirect_uri',
      label: "Redirect URL, if it is not Tokenkeeper's own page",
      hidden: false,
      required: false,
      env: ['IIFL_REDIRECT_URL'],
      problem: urlProblem,
    },
    {
      name: 'password',
      label: 'Password (only for unattended login)',
      hidden: true,
      required: false,
      env: ['IIFL_PASSWORD'],
      lockAfter: 3,
      // EC063 (README, Errors).
      problem: (value) => (/\s/.test(value) ? 'IIFL passwords have no white space' : undefined),
    },
    {
      name: 'totp_secret',
      label: 'TOTP secret in base32 (only for unattended login)',
      hidden: true,
      required: false,
      env: ['IIFL_TOTP_SECRET'],
      problem: (value) =>
        /^[A-Z2-7 ]{16,}=*$/i.test(value)
          ? undefined
          : 'it must be base32 text, neither a code nor an otpauth address',
    },
  ],
  // UNCERTAIN whether a newer token ends the older one: taken for yes (README, Uncertain).
  sessions: 'one',
  session: {
    timeZone: 'Asia/Kolkata',
    accessToken: { earliestOf: [{ kind: 'jwt' }], otherwise: IIFL_FALLBACK_EXPIRY_CLOCK },
  },
  grants: [
    {
      kind: 'credentials',
      needs: ['user_id', 'password', 'totp_secret', 'client_id', 'client_secret'],
      // README, Limits: IIFL refuses a second one-time code within 60 s of a login (EC018).
      budget: { perHour: 2, perDay: 4, minimumGapSeconds: 60 },
      repeatsAfterAmbiguity: 'budget',
      renew: logIn,
    },
  ],
  // The guide for several IIFL users names accounts by bare numbers.
  guide: { accountsCalledBy: 'user_id' },
  options: { headlessVariant: 'A or B, the newer and default' },
  login: { how: 'log in at IIFL', code: iiflLogin },
  prove,
  api: { hosts: ['IIFL_API'] },
  refusal: iiflRefusal,
  pacingSeconds: 2,
  concurrency: 1,
  // Once a day; and before the open, for a token that would die before the close and for a login that failed
  // at night.
  schedule: {
    expressions: ['cron(0 3 * * ? *)', 'cron(30 7 ? * MON-FRI *)', 'cron(0/15 8 ? * MON-FRI *)'],
    timeZone: 'Asia/Kolkata',
  },
  tradingSession: marketSession(['in-equity', 'in-fno']),
  warning:
    'Unattended login is on for accounts whose password and TOTP secret are stored. It uses endpoints IIFL does not ' +
    'document: they can change or be withdrawn without notice, and their use is at your own risk. Store neither of ' +
    'the two, and a person logs in each trading day instead.',
} as const satisfies Broker

async function logIn(context: BrokerContext): Promise<Renewal> {
  const authCode = await headlessAuthCode(context)
  return afterPassword(() => sessionFor(context, authCode))
}

/** The profile call (README, Endpoints). Throws WrongAccountError for another client's session. */
async function prove(context: BrokerContext, accessToken: Secret): Promise<Proof> {
  const claimed = jwtClaims(accessToken)?.[CLIENT_ID_CLAIM]
  if (typeof claimed === 'string') assertOwnClient(context, claimed)
  const proof = await profile(context, accessToken).catch(async (error: unknown) => {
    if (!(error instanceof GrantRejectedError) || error.brokerCode !== undefined) throw error
    await context.clock.sleep(SECOND_LOOK_MS)
    return profile(context, accessToken)
  })
  assertOwnClient(context, proof.userId)
  return proof
}

async function profile(context: BrokerContext, accessToken: Secret): Promise<Proof> {
  const { reply, json } = await askIifl(context, {
    step: 'profile',
    method: 'GET',
    url: apiUrl(context, '/profile'),
    bearer: accessToken,
  })
  const parsed = ProfileReply.safeParse(json)
  if (!parsed.success) throw missing(reply, 'result.clientId')
  const { clientId, clientName } = parsed.data.result
  return { userId: clientId, ...(clientName && { clientName }) }
}

function assertOwnClient(context: BrokerContext, clientId: string): void {
  if (clientId.toUpperCase() === context.secret('user_id').reveal().toUpperCase()) return
  throw new WrongAccountError('the session belongs to another IIFL client than the stored user_id', {
    fix: 'log in with the right user, or store the right credentials: tokenkeeper setup {account}; nothing was changed',
  })
}
