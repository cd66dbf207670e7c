import { Temporal } from 'temporal-polyfill'
import { z } from 'zod'
import { badField, callBroker, errorByStatus, type Spends } from '../../../lib/brokers/shared/call.ts'
import { GrantRejectedError, HumanActionError } from '../../../lib/model/errors.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import type { Broker, Grant } from '../../../lib/ports/broker/broker.ts'
import type { BrokerContext, Proof, Renewal } from '../../../lib/ports/broker/broker-context.ts'
import type { Candidate, PushApproval } from '../../../lib/ports/broker/login.ts'
import { weekdaySession } from '../../support/weekday-session.ts'

const NAME = 'Cutbroker'
const HOST = 'https://cutbroker.invalid'

const TokenReply = z.object({
  access_token: z.string(),
  refresh_token: z.string().optional(),
  user: z.string().optional(),
  expires_in: z.number(),
})

/** Works once: its second use would revoke everything. */
const rotating: Grant = {
  kind: 'refresh_token',
  needs: ['client_id', 'refresh_token'],
  budget: { minimumGapSeconds: 1 },
  repeatsAfterAmbiguity: 0,
  renew: (context) => refresh(context, 'credential'),
}

/** Stays as it is, and may be sent a second time when the first one's fate is unknown (FYERS). */
const lasting: Grant = {
  ...rotating,
  repeatsAfterAmbiguity: 1,
  renew: (context) => refresh(context, 'attempt'),
}

const credentials: Grant = {
  kind: 'credentials',
  needs: ['password', 'totp_secret'],
  budget: { perDay: 6, minimumGapSeconds: 60 },
  repeatsAfterAmbiguity: 'budget',
  async renew(context) {
    const totp = await context.totp(context.secret('totp_secret'))
    return tokens(context, '/login', { password: context.secret('password').reveal(), totp }, 'attempt')
  },
}

const upstream: Grant = {
  kind: 'upstream',
  needs: ['client_id'],
  enabled: ({ options }) => options?.['upstream'] === 'on',
  budget: { minimumGapSeconds: 1 },
  repeatsAfterAmbiguity: 'budget',
  refusalStandsMinutes: 10,
  renew: (context) => tokens(context, '/upstream', {}, 'attempt'),
}

const approval: PushApproval = {
  needs: ['client_id', 'client_secret'],
  budget: { perDay: 4, minimumGapSeconds: 600 },
  waitSeconds: 900,
  openAtMost: (requestedAt) => requestedAt.add({ hours: 1 }),
  async request(context) {
    const reply = await callBroker(context, NAME, {
      method: 'POST',
      url: `${HOST}/approval`,
      form: { client_id: context.secret('client_id').reveal() },
      spends: 'attempt',
    })
    if (reply.status !== 200) throw errorByStatus(NAME, reply, 'attempt')
    return { openUntil: Temporal.Instant.from((reply.json as { until: string }).until) }
  },
  readWebhook(body) {
    const { app, user, token, issued, expires } = body as Record<string, string>
    if (!app || !user || !token || !issued || !expires) return undefined
    const candidate: Candidate = {
      clientId: app,
      userId: user,
      accessToken: new Secret(token),
      issuedAt: Temporal.Instant.from(issued),
      expiresAt: Temporal.Instant.from(expires),
    }
    return candidate
  },
}

/** A broker like the strictest there are, with every grant and every login there can be. */
export const cutbroker: Broker = {
  id: 'cutbroker',
  displayName: NAME,
  hosts: { CUTBROKER_API: HOST },
  credentials: [
    { name: 'client_id', label: 'client id', hidden: false, required: true },
    { name: 'client_secret', label: 'client secret', hidden: true, required: false },
    { name: 'password', label: 'password', hidden: true, required: false },
    { name: 'totp_secret', label: 'TOTP secret', hidden: true, required: false },
  ],
  sessions: 'one',
  session: {
    timeZone: 'Asia/Kolkata',
    accessToken: { earliestOf: [{ kind: 'reply' }], otherwise: { kind: 'hours', hours: 12 } },
  },
  grants: [rotating, credentials, upstream],
  login: {
    how: `log in at ${NAME}`,
    code: {
      needs: ['client_id', 'client_secret'],
      budget: { perDay: 8, minimumGapSeconds: 30 },
      authorizationUrl: (_, { state }) => `${HOST}/authorize?${new URLSearchParams({ state })}`,
      readCallback(parameters) {
        const code = parameters.get('code')
        return code === null ? {} : { code: new Secret(code) }
      },
      async exchange(context, { code }) {
        return tokens(context, '/exchange', { code: code.reveal() }, 'credential')
      },
    },
    approval,
  },
  prove,
  pacingSeconds: 0,
  concurrency: 4,
  schedule: { expressions: ['rate(15 minutes)'], timeZone: 'Asia/Kolkata' },
  tradingSession: weekdaySession({ timeZone: 'Asia/Kolkata', opens: '09:15', closes: '15:30' }),
}

/** The same with a refresh token that stays. */
export const lastingCutbroker: Broker = { ...cutbroker, grants: [lasting, credentials, upstream] }

/** The same where a run asks for approval by itself. */
export const askingCutbroker: Broker = {
  ...cutbroker,
  login: { how: `log in at ${NAME}`, ...cutbroker.login, approval: { ...approval, at: '06:00' } },
}

function refresh(context: BrokerContext, spends: Spends): Promise<Renewal> {
  return tokens(context, '/token', { refresh_token: context.secret('refresh_token').reveal() }, spends)
}

async function tokens(
  context: BrokerContext,
  path: string,
  form: Readonly<Record<string, string>>,
  spends: Spends,
): Promise<Renewal> {
  const reply = await callBroker(context, NAME, { method: 'POST', url: HOST + path, form, spends })
  const { error } = reply.json && typeof reply.json === 'object' ? (reply.json as { error?: string }) : {}
  if (error === 'wrong_password')
    throw new HumanActionError(`${NAME} refused the password`, {
      problem: 'wrong_secret',
      fix: 'store the right one',
    })
  if (error === 'locked') throw new HumanActionError(`${NAME} locked the account`, { problem: 'account' })
  if (error !== undefined)
    throw new GrantRejectedError(`${NAME} refused`, { brokerCode: error, fix: 'log in again' })
  if (reply.status !== 200 || reply.bodyKind !== 'json') throw errorByStatus(NAME, reply, spends)
  const { data } = TokenReply.safeParse(reply.json)
  if (!data) throw badField(NAME, reply, 'access_token')
  return {
    accessToken: new Secret(data.access_token),
    ...(data.refresh_token && { refreshToken: new Secret(data.refresh_token) }),
    ...(data.user && { userId: data.user }),
    expiresIn: data.expires_in,
    sentAt: reply.sentAt,
  }
}

async function prove(context: BrokerContext, accessToken: Secret): Promise<Proof> {
  const reply = await callBroker(context, NAME, {
    method: 'GET',
    url: `${HOST}/me`,
    headers: { authorization: `Bearer ${accessToken.reveal()}` },
    spends: 'nothing',
  })
  if (reply.status === 401) throw new GrantRejectedError(`${NAME} says the token is dead`)
  if (reply.status !== 200) throw errorByStatus(NAME, reply, 'nothing')
  return { userId: (reply.json as { user: string }).user }
}
