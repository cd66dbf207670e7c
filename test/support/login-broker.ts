import { Temporal } from 'temporal-polyfill'
import { badField, callBroker, errorByStatus } from '../../lib/brokers/shared/call.ts'
import { GrantRejectedError } from '../../lib/model/errors.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import type { BrokerContext, Renewal } from '../../lib/ports/broker/broker-context.ts'
import type { Authorization, Candidate } from '../../lib/ports/broker/login.ts'
import type { Clock } from '../../lib/ports/clock.ts'
import { RotabrokerSimulator, rotabroker } from './rotating-broker.ts'
import { weekdaySession } from './weekday-session.ts'

const NAME = 'Loginbroker'

/**
 * A broker with everything a login can have, so that the domain is tested on its own: a code that works once and
 * gives a rotating refresh token, and an approval in its app.
 */
export const loginbroker: Broker = {
  ...rotabroker,
  id: 'loginbroker',
  displayName: NAME,
  credentials: [
    { name: 'client_id', label: 'client id', hidden: false, required: true },
    { name: 'client_secret', label: 'client secret', hidden: true, required: false },
    { name: 'redirect_uri', label: 'redirect URI', hidden: false, required: false },
  ],
  session: { ...rotabroker.session, timeZone: 'Asia/Kolkata' },
  tradingSession: weekdaySession({ timeZone: 'Asia/Kolkata', opens: '09:15', closes: '15:30' }),
  login: {
    how: `log in at ${NAME}`,
    code: {
      needs: ['client_id', 'client_secret'],
      budget: { perDay: 5, minimumGapSeconds: 30 },
      authorizationUrl(context, { state, redirectUri, codeVerifier }) {
        const query = new URLSearchParams({
          client_id: context.secret('client_id').reveal(),
          redirect_uri: redirectUri,
          state,
          verifier_length: String(codeVerifier.reveal().length),
        })
        return `${context.host('ROTABROKER_API')}/authorize?${query}`
      },
      readCallback(parameters) {
        const [code, userId, refusal] = ['code', 'user', 'error'].map((name) => parameters.get(name))
        return {
          ...(code && { code: new Secret(code) }),
          ...(userId && { userId }),
          ...(refusal && { refusal }),
        }
      },
      exchange,
    },
    approval: {
      needs: ['client_id', 'client_secret'],
      budget: { perDay: 2, minimumGapSeconds: 1800 },
      waitSeconds: 900,
      async request(context) {
        const reply = await callBroker(context, NAME, {
          method: 'POST',
          url: `${context.host('ROTABROKER_API')}/approval`,
          form: { client_id: context.secret('client_id').reveal() },
          spends: 'attempt',
        })
        if (reply.status !== 200) throw errorByStatus(NAME, reply, 'attempt')
        return { openUntil: Temporal.Instant.from((reply.json as { until: string }).until) }
      },
      readWebhook,
    },
  },
}

async function exchange(context: BrokerContext, { code }: Authorization): Promise<Renewal> {
  const reply = await callBroker(context, NAME, {
    method: 'POST',
    url: `${context.host('ROTABROKER_API')}/exchange`,
    form: { code: code.reveal() },
    spends: 'credential',
  })
  if (reply.status === 400) throw new GrantRejectedError(`${NAME} refused the code`, { fix: 'log in again' })
  if (reply.status !== 200 || reply.bodyKind !== 'json') throw errorByStatus(NAME, reply, 'credential')
  const json = reply.json as {
    access_token?: string
    refresh_token?: string
    expires_in: number
    user?: string
  }
  if (!json.access_token) throw badField(NAME, reply, 'access_token')
  return {
    accessToken: new Secret(json.access_token),
    ...(json.refresh_token && { refreshToken: new Secret(json.refresh_token) }),
    ...(json.user && { userId: json.user }),
    expiresIn: json.expires_in,
    sentAt: reply.sentAt,
  }
}

function readWebhook(body: unknown): Candidate | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const { app, user, token, issued, expires } = body as Record<string, unknown>
  if ([app, user, token, issued, expires].some((field) => typeof field !== 'string')) return undefined
  return {
    clientId: String(app),
    userId: String(user),
    accessToken: new Secret(String(token)),
    issuedAt: Temporal.Instant.from(String(issued)),
    expiresAt: Temporal.Instant.from(String(expires)),
  }
}

export class LoginBrokerSimulator extends RotabrokerSimulator {
  /** Requests that named a code, right or wrong. */
  codesSeen = 0
  approvalsAsked = 0
  /** The exchange gives a refresh token as well. */
  givesRefreshToken = true
  /** The exchange names the user of the login. */
  namesUser = true
  readonly #codes = new Map<string, { readonly user: string; spent: boolean }>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    super(clock)
    this.#clock = clock
    this.app.post('/exchange', async (context) => {
      this.codesSeen += 1
      const known = this.#codes.get(new URLSearchParams(await context.req.text()).get('code') ?? '')
      if (!known || known.spent) return context.json({ error: 'invalid_grant' }, 400)
      known.spent = true
      const { user } = known
      const { access, refresh } = this.openFamily(user)
      return context.json({
        access_token: access,
        ...(this.givesRefreshToken && { refresh_token: refresh }),
        expires_in: 12 * 3600,
        ...(this.namesUser && { user }),
      })
    })
    this.app.post('/approval', (context) => {
      this.approvalsAsked += 1
      return context.json({ until: this.#clock.now().add({ hours: 2 }).toString() })
    })
  }

  /** What the redirect after a login of `user` carries. */
  codeFor(user: string): string {
    const code = `code-${user}-${this.#codes.size + 1}`
    this.#codes.set(code, { user, spent: false })
    return code
  }

  /** What the broker posts when `user` approves. */
  webhookOf(user: string, overrides: Record<string, unknown> = {}): Record<string, unknown> {
    const now = this.#clock.now()
    return {
      app: 'SIM-APP',
      user,
      token: this.openFamily(user).access,
      issued: now.toString(),
      expires: now.add({ hours: 12 }).toString(),
      ...overrides,
    }
  }
}
