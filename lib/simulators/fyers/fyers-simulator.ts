import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import jsonwebtoken from 'jsonwebtoken'
import type { Temporal } from 'temporal-polyfill'
import { nextClock } from '../../model/expiry/session-model.ts'
import type { Clock } from '../../ports/clock.ts'
import { simulatedJwt } from '../kit/simulated-token.ts'
import type { Simulator, SimulatorEnv } from '../kit/simulator.ts'
import type { FyersApp, FyersBehaviour, FyersUser } from './behaviour.ts'
import { MinuteLimit } from './limit.ts'
import { addFyersLogin } from './login.ts'

const DEATH = { at: '06:00', timeZone: 'Asia/Kolkata', day: 'first' } as const
const REFRESH_TOKEN_DAYS = 15
const AUTH_CODE_LIFE_S = 30_000
const BURST_WINDOW_S = 15
const BURST_EXCHANGES = 3
const BURST_BLOCK_MIN = 10

/** FYERS API v3 as lib/brokers/fyers/README.md says: static refresh token with PIN, tokens dead at 06:00 IST. */
export class FyersSimulator implements Simulator {
  readonly id = 'fyers'
  readonly hosts = ['FYERS_API']
  readonly app = new Hono<SimulatorEnv>()
  readonly behaviour: FyersBehaviour = {
    wrongPin: { code: -1101, lockAfter: 5 },
    bareRedirect: false,
    rotates: false,
    loginRedirectBy: 'body',
    perMinuteLimit: 200,
  }
  /** Refresh requests that reached the broker, successful or not. */
  refreshes = 0

  readonly client: FyersApp
  readonly #clock: Clock
  readonly #users = new Map<string, FyersUser>()
  readonly #liveTokens = new Map<string, string>()
  readonly #spentCodes = new Set<string>()
  /** PKCE challenges by the code they were made for. */
  readonly #challenges = new Map<string, string>()
  readonly #wrongPins = new Map<string, number>()
  #exchanges: Temporal.Instant[] = []
  #blockedUntil: Temporal.Instant | undefined
  readonly #limit: MinuteLimit

  constructor(clock: Clock, client: FyersApp, users: readonly FyersUser[]) {
    this.#clock = clock
    this.#limit = new MinuteLimit(clock, DEATH.timeZone)
    this.client = client
    for (const user of users) this.#users.set(user.fyId, user)
    this.#routes()
  }

  now(): Temporal.Instant {
    return this.#clock.now()
  }

  user(fyId: string): FyersUser | undefined {
    return this.#users.get(fyId)
  }

  get people(): readonly FyersUser[] {
    return [...this.#users.values()]
  }

  /** A refresh token as a login of `fyId` gives it, `daysAgo` days ago. */
  refreshTokenFor(fyId: string, daysAgo = 0): string {
    const issuedAt = this.#clock.now().subtract({ hours: daysAgo * 24 })
    const day = issuedAt.toZonedDateTimeISO(DEATH.timeZone).toPlainDate().add({ days: REFRESH_TOKEN_DAYS })
    const expiresAt = day.toZonedDateTime({ timeZone: DEATH.timeZone, plainTime: DEATH.at }).toInstant()
    return simulatedJwt({ sub: 'refresh_token', iss: 'api.fyers.in', fy_id: fyId }, { issuedAt, expiresAt })
  }

  /** An access token as a login gives it. FYERS keeps one live token per user. */
  accessTokenFor(fyId: string): string {
    const issuedAt = this.#clock.now()
    const token = simulatedJwt(
      {
        sub: 'access_token',
        iss: 'api.fyers.in',
        aud: ['d:1', 'x:0'],
        fy_id: fyId,
        appType: 100,
        hsm_key: '0'.repeat(56),
        at_hash: '0'.repeat(120),
      },
      { issuedAt, expiresAt: nextClock(DEATH, issuedAt) },
    )
    this.#liveTokens.set(fyId, token)
    return token
  }

  /** A code as the login page's redirect carries it; with a challenge only its verifier redeems it. */
  authCodeFor(fyId: string, challenge?: string): string {
    const issuedAt = this.#clock.now()
    const expiresAt = issuedAt.add({ seconds: AUTH_CODE_LIFE_S })
    const claims = { sub: 'auth_code', iss: 'api.login.fyers.in', fy_id: fyId }
    const code = simulatedJwt(claims, { issuedAt, expiresAt })
    if (challenge !== undefined) this.#challenges.set(code, challenge)
    return code
  }

  /** Kills the user's access token, as a logout or a login elsewhere does. */
  killAccessToken(fyId: string): void {
    this.#liveTokens.delete(fyId)
  }

  #routes(): void {
    this.app.use('/api/v3/*', async (_, next) => {
      if (!this.#limit.exceeded(this.behaviour.perMinuteLimit)) return next()
      return failure(-429, 'API rate limit exceeded', 429)
    })
    this.app.post('/api/v3/validate-authcode', async (context) =>
      this.#exchange(await bodyOf(context.req.raw)),
    )
    this.app.post('/api/v3/validate-refresh-token', async (context) =>
      this.#refresh(await bodyOf(context.req.raw)),
    )
    this.app.get('/api/v3/profile', (context) => {
      const user = this.#authenticated(context.req.header('authorization'))
      if (!user) return failure(-16, 'Could not authenticate the user', 401)
      return ok({
        data: { fy_id: user.fyId, name: user.name, email_id: 'sim.one@example.invalid', totp: true },
      })
    })
    this.app.get('/api/v3/funds', (context) =>
      this.#authenticated(context.req.header('authorization'))
        ? ok({ fund_limit: [] })
        : failure(-16, 'Could not authenticate the user', 401),
    )
    this.app.get('/data/quotes', (context) =>
      this.#authenticated(context.req.header('authorization'))
        ? ok({ d: [] })
        : failure(-15, 'Please provide valid token', 401),
    )
    // Orders are throttled harder than reads, and say so in two headers.
    this.app.post('/api/v3/orders/sync', () =>
      Response.json(
        { s: 'error', code: -429, message: 'API rate limit exceeded' },
        { status: 429, headers: { 'retry-after': '1', 'x-retry-after-ms': '1000' } },
      ),
    )
    addFyersLogin(this.app, this)
    this.app.post('/api/v3/logout', (context) => {
      const user = this.#authenticated(context.req.header('authorization'))
      if (!user) return failure(-16, 'Token is Invalid or Expired', 401)
      this.killAccessToken(user.fyId)
      return ok({})
    })
  }

  #exchange(body: Record<string, unknown>): Response {
    const now = this.#clock.now()
    if (this.#blockedUntil && this.#blockedUntil.epochMilliseconds > now.epochMilliseconds) return edgeBlock()
    this.#exchanges = this.#exchanges.filter(
      (at) => at.add({ seconds: BURST_WINDOW_S }).epochMilliseconds > now.epochMilliseconds,
    )
    this.#exchanges.push(now)
    if (this.#exchanges.length >= BURST_EXCHANGES) {
      this.#blockedUntil = now.add({ minutes: BURST_BLOCK_MIN })
      return edgeBlock()
    }
    if (body['grant_type'] !== 'authorization_code') return failure(-441, 'invalid grant type')
    if (!body['code']) return failure(-374, 'Please provide authorization code.')
    const code = String(body['code'])
    const challenge = this.#challenges.get(code)
    if (challenge === undefined && !this.#knowsApp(body['appIdHash']))
      return failure(-371, 'Please provide sha256 hash of appId and app secret')
    if (challenge !== undefined && challenge !== challengeFrom(body['code_verifier']))
      return failure(-437, 'invalid auth code')
    const user = this.#holderOf(code, 'auth_code')
    if (!user || this.#spentCodes.has(code)) return failure(-437, 'invalid auth code')
    this.#spentCodes.add(code)
    return ok({
      access_token: this.accessTokenFor(user.fyId),
      refresh_token: this.refreshTokenFor(user.fyId),
    })
  }

  #refresh(body: Record<string, unknown>): Response {
    this.refreshes += 1
    const withdrawn = this.behaviour.refreshWithdrawn
    if (withdrawn) return failure(withdrawn.code, 'Refresh token is not supported', withdrawn.status)
    if (body['grant_type'] !== 'refresh_token') return failure(-441, 'invalid grant type')
    if (!this.#knowsApp(body['appIdHash']))
      return failure(-371, 'Please provide sha256 hash of appId and app secret')
    const user = this.#holderOf(String(body['refresh_token'] ?? ''), 'refresh_token')
    if (!user) return failure(-501, 'Please provide valid refresh token')
    const { code, lockAfter } = this.behaviour.wrongPin
    const wrong = this.#wrongPins.get(user.fyId) ?? 0
    if (body['pin'] !== user.pin || wrong >= lockAfter) {
      this.#wrongPins.set(user.fyId, wrong + 1)
      return failure(code, wrong >= lockAfter ? 'Account locked' : 'Invalid pin')
    }
    this.#wrongPins.delete(user.fyId)
    return ok({
      access_token: this.accessTokenFor(user.fyId),
      ...(this.behaviour.rotates && { refresh_token: this.refreshTokenFor(user.fyId) }),
    })
  }

  #knowsApp(hash: unknown): boolean {
    return hash === createHash('sha256').update(`${this.client.clientId}:${this.client.secret}`).digest('hex')
  }

  #authenticated(header: string | undefined): FyersUser | undefined {
    const [clientId, token] = (header ?? '').split(':')
    if (clientId !== this.client.clientId || !token) return undefined
    const user = this.#holderOf(token, 'access_token')
    return user && this.#liveTokens.get(user.fyId) === token ? user : undefined
  }

  /** The user of a token of ours that is still alive by the virtual clock. */
  #holderOf(token: string, subject: string): FyersUser | undefined {
    const claims = jsonwebtoken.decode(token)
    if (typeof claims !== 'object' || claims === null || claims.sub !== subject) return undefined
    if ((claims.exp ?? 0) * 1000 <= this.#clock.now().epochMilliseconds) return undefined
    return this.#users.get(String(claims['fy_id']))
  }
}

/** S256 of RFC 7636: what FYERS is taken to mean by "SHA-256" (lib/brokers/fyers/README.md, Uncertain). */
function challengeFrom(verifier: unknown): string {
  return createHash('sha256').update(String(verifier)).digest('base64url')
}

async function bodyOf(request: Request): Promise<Record<string, unknown>> {
  return (await request.json().catch(() => ({}))) as Record<string, unknown>
}

function ok(fields: Record<string, unknown>): Response {
  return Response.json({ s: 'ok', code: 200, message: '', ...fields })
}

function failure(code: number, message: string, status = 400): Response {
  return Response.json({ s: 'error', code, message }, { status })
}

function edgeBlock(): Response {
  return new Response('<html><body>Access denied</body></html>', {
    status: 429,
    headers: { 'content-type': 'text/html' },
  })
}
