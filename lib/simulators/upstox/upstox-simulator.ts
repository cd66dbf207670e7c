import { Hono } from 'hono'
import jsonwebtoken from 'jsonwebtoken'
import type { Temporal } from 'temporal-polyfill'
import { nextClock } from '../../model/expiry/session-model.ts'
import type { Clock } from '../../ports/clock.ts'
import { simulatedJwt } from '../kit/simulated-token.ts'
import type { Simulator, SimulatorEnv } from '../kit/simulator.ts'
import { OpenApprovals, postWebhook, type WebhookVariant } from './approvals.ts'
import type { UpstoxApp, UpstoxBehaviour } from './behaviour.ts'
import { addUpstoxDialog } from './dialog.ts'
import { UpstoxLimits } from './limits.ts'
import { addSimulatedPhone } from './phone.ts'
import {
  edgeBlock,
  javaException,
  millisecondText,
  profileOf,
  type UpstoxUser,
  upstoxFailure,
  upstoxSuccess,
} from './replies.ts'

const DEATH = { at: '03:30', timeZone: 'Asia/Kolkata', day: 'first' } as const
const FUNDS_OPEN = '05:30'
/** Clients that say nothing of themselves, or only what library they are made of. */
const ODD_USER_AGENT = /^$|^(node|undici|curl|axios|python|go-http-client|java)\b/i
/** In the order Upstox checks them. */
const EXCHANGE_FIELDS = [
  ['client_id', 'UDAPI1017'],
  ['redirect_uri', 'UDAPI1018'],
  ['code', 'UDAPI1022'],
  ['grant_type', 'UDAPI1023'],
  ['client_secret', 'UDAPI1024'],
] as const

/**
 * Upstox API v2/v3 as lib/brokers/upstox/README.md says: a person each day, tokens dead at 03:30 IST, codes spent at
 * first sight.
 */
export class UpstoxSimulator implements Simulator {
  readonly id = 'upstox'
  readonly hosts = ['UPSTOX_API']
  readonly app = new Hono<SimulatorEnv>()
  readonly behaviour: UpstoxBehaviour = {
    grantErrorStatus: 401,
    extraFields: false,
    orders: 'accepted',
    singleLiveToken: true,
  }

  /** Approval requests that asked the person. */
  approvalRequests = 0
  /** Those the person has not answered. */
  readonly approvals: OpenApprovals

  readonly #clock: Clock
  #app: UpstoxApp
  readonly #users = new Map<string, UpstoxUser>()
  readonly #liveTokens = new Map<string, Set<string>>()
  readonly #codes = new Map<string, { readonly userId: string; spent: boolean }>()
  readonly #limits: UpstoxLimits
  #serial = 0

  constructor(clock: Clock, app: UpstoxApp, users: readonly UpstoxUser[]) {
    this.#clock = clock
    this.#limits = new UpstoxLimits(clock)
    this.approvals = new OpenApprovals(clock)
    this.#app = app
    for (const user of users) this.#users.set(user.userId, user)
    this.#routes()
  }

  get client(): UpstoxApp {
    return this.#app
  }

  get people(): readonly UpstoxUser[] {
    return [...this.#users.values()]
  }

  /** Sets the notifier URL in the form of the app. */
  notify(url: string): void {
    this.#app = { ...this.#app, notifierUrl: url }
  }

  /** An access token as a login gives it; alive until the next 03:30 IST unless `expiresAt` says otherwise. */
  accessTokenFor(userId: string, expiresAt?: Temporal.Instant): string {
    const issuedAt = this.#clock.now()
    this.#serial += 1
    const claims = { sub: userId, jti: `sim${this.#serial}`, isMultiClient: false, isPlusPlan: true }
    const token = simulatedJwt(
      { ...claims, iss: 'udapi-gateway-service' },
      { issuedAt, expiresAt: expiresAt ?? nextClock(DEATH, issuedAt) },
    )
    const live = this.behaviour.singleLiveToken ? [] : (this.#liveTokens.get(userId) ?? [])
    this.#liveTokens.set(userId, new Set([...live, token]))
    return token
  }

  /** A code as the redirect after a login carries it. */
  authCodeFor(userId: string): string {
    this.#serial += 1
    const code = `mk${String(this.#serial).padStart(4, '0')}`
    this.#codes.set(code, { userId, spent: false })
    return code
  }

  /** Kills the user's access tokens, as a logout or a new static IP does (lib/brokers/upstox/README.md, Expiry). */
  killAccessToken(userId: string): void {
    this.#liveTokens.delete(userId)
  }

  /**
   * The account holder approves, in time or after the window: the webhook is posted to the notifier, and the
   * statuses it answered are returned. A rejection is silent: there is nothing to call.
   */
  async approve(userId: string, variant: WebhookVariant = 'as_approved'): Promise<readonly number[]> {
    const { clientId, notifierUrl } = this.#app
    if (notifierUrl === undefined) throw new Error('this simulated app has no notifier URL')
    const issuedAt = this.#clock.now()
    const accessToken = this.accessTokenFor(userId)
    if (variant === 'dead_token') this.killAccessToken(userId)
    const expiresAt = nextClock(DEATH, issuedAt)
    return postWebhook(notifierUrl, { clientId, userId, accessToken, issuedAt, expiresAt }, variant)
  }

  #routes(): void {
    addSimulatedPhone(this.app, this)
    this.app.use(async (context, next) => {
      const userAgent = context.req.header('user-agent') ?? ''
      if (ODD_USER_AGENT.test(userAgent)) return edgeBlock()
      const user = this.#holderOf(context.req.header('authorization'))
      if (user && this.#limits.overrun(user.userId, context.req.path)) {
        return upstoxFailure(429, 'UDAPI10005', 'Too Many Request Sent')
      }
      return next()
    })
    addUpstoxDialog(this.app, this)
    this.app.post('/v2/login/authorization/token', async ({ req }) => {
      return this.#exchange(new URLSearchParams(await req.text()))
    })
    this.app.post('/v3/login/auth/token/request/:clientId', async ({ req }) => {
      const body = (await req.json().catch(() => ({}))) as Record<string, unknown>
      return this.#requestApproval(req.param('clientId'), body['client_secret'])
    })
    this.app.get('/v2/user/profile', ({ req }) => this.#profile(this.#holderOf(req.header('authorization'))))
    this.app.get('/v3/user/get-funds-and-margin', ({ req }) => {
      if (!this.#holderOf(req.header('authorization'))) return deadToken()
      const open = this.#clock.now().toZonedDateTimeISO(DEATH.timeZone).toPlainTime().toString() >= FUNDS_OPEN
      return open
        ? upstoxSuccess({ equity: {} })
        : upstoxFailure(423, 'UDAPI100072', 'Service is accessible from 5:30 AM')
    })
    this.app.post('/v2/order/place', ({ req }) => {
      if (!this.#holderOf(req.header('authorization')) || this.behaviour.orders === 'token_refused') {
        return deadToken()
      }
      if (this.behaviour.orders === 'address_refused')
        return upstoxFailure(403, 'UDAPI1154', 'Static IP not registered')
      return upstoxSuccess({ order_id: '260000000000001' })
    })
    this.app.delete('/v2/logout', ({ req }) => {
      const user = this.#holderOf(req.header('authorization'))
      if (!user) return javaException()
      this.killAccessToken(user.userId)
      return upstoxSuccess(true)
    })
    this.app.all('*', () => upstoxFailure(404, 'UDAPI100060', 'Resource not Found.'))
  }

  /** The code is spent by the first request that names it, whatever else is wrong with that request. */
  #exchange(form: URLSearchParams): Response {
    const status = this.behaviour.grantErrorStatus
    const known = this.#codes.get(form.get('code') ?? '')
    const usable = known !== undefined && !known.spent
    if (known) known.spent = true
    for (const [field, code] of EXCHANGE_FIELDS) {
      if (!form.get(field)) return upstoxFailure(400, code, `${field} is required`)
    }
    if (form.get('client_id') !== this.#app.clientId || form.get('client_secret') !== this.#app.secret) {
      return upstoxFailure(status, 'UDAPI100069', 'Invalid client credentials')
    }
    if (form.get('redirect_uri') !== this.#app.redirectUri) {
      return upstoxFailure(status, 'UDAPI100070', 'Invalid redirect_uri')
    }
    if (!usable) return upstoxFailure(status, 'UDAPI100057', 'Invalid Auth code')
    const user = this.#users.get(known.userId)
    const extra = {
      ddpi: false,
      expires_in: 86_400,
      token_type: 'Bearer',
      refresh_token: 'sim.refresh.ignored',
    }
    return Response.json({
      ...profileOf(user),
      access_token: this.accessTokenFor(known.userId),
      extended_token: simulatedJwt({ sub: known.userId, kind: 'extended' }, { issuedAt: this.#clock.now() }),
      ...(this.behaviour.extraFields && extra),
    })
  }

  #requestApproval(clientId: string, secret: unknown): Response {
    if (clientId !== this.#app.clientId || secret !== this.#app.secret) {
      return upstoxFailure(this.behaviour.grantErrorStatus, 'UDAPI100069', 'Invalid client credentials')
    }
    this.approvalRequests += 1
    const openUntil = nextClock(DEATH, this.#clock.now())
    this.approvals.add(openUntil)
    return upstoxSuccess({
      authorization_expiry: millisecondText(openUntil),
      notifier_url: this.#app.notifierUrl ?? null,
    })
  }

  #profile(user: UpstoxUser | undefined): Response {
    const { profileError, profileOf: other, extraFields } = this.behaviour
    if (profileError) return upstoxFailure(profileError.status, profileError.code, 'simulated')
    if (!user) return deadToken()
    const shown = other === undefined ? user : this.#users.get(other)
    return upstoxSuccess({ ...profileOf(shown), ...(extraFields && { ddpi: false }) })
  }

  #holderOf(authorization: string | undefined): UpstoxUser | undefined {
    const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1]
    const claims = token === undefined ? null : jsonwebtoken.decode(token)
    if (token === undefined || typeof claims !== 'object' || claims === null) return undefined
    if ((claims.exp ?? 0) * 1000 <= this.#clock.now().epochMilliseconds) return undefined
    const userId = String(claims.sub)
    return this.#liveTokens.get(userId)?.has(token) ? this.#users.get(userId) : undefined
  }
}

function deadToken(): Response {
  return upstoxFailure(401, 'UDAPI100050', 'Invalid token used to access API')
}
