import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import type { Temporal } from 'temporal-polyfill'
import type { Clock } from '../../ports/clock.ts'
import type { Simulator, SimulatorEnv } from '../kit/simulator.ts'
import { type PosOptions, type SimulatedPosUser, usualBehaviour } from './behaviour.ts'
import { PosInvoices } from './invoices.ts'
import { invalid, page, reply, type Throttle, toLoginPage, tooMany } from './replies.ts'

/** Laravel's usual throttles (lib/brokers/pos-connector/README.md, Limits). */
const LOGINS_PER_MINUTE = 5
const CALLS_PER_MINUTE = 60

interface Token {
  readonly user: SimulatedPosUser
  readonly diesAtMs: number
}

/**
 * A self-hosted Laravel backend with Sanctum tokens, as lib/brokers/pos-connector/README.md says. Its address is a
 * stored base_url.
 */
export class PosConnectorSimulator implements Simulator {
  readonly id = 'pos-connector'
  readonly hosts = []
  readonly app = new Hono<SimulatorEnv>()
  readonly behaviour = usualBehaviour()
  /** Login requests that reached the backend, successful or not. */
  logins = 0
  /** SHA-256 of the last login's body, so that a test can compare it byte for byte. */
  lastLoginBodySha256 = ''
  readonly invoices = new PosInvoices({
    now: () => this.#now(),
    authenticated: (request) => this.#authenticated(request),
    pdf: () => this.behaviour.pdf,
  })

  readonly #clock: Clock
  readonly #users: readonly SimulatedPosUser[]
  readonly #options: Required<PosOptions>
  readonly #tokens = new Map<string, Token>()
  readonly #calls = new Map<string, { minute: number; count: number }>()
  #serial = 16

  constructor(clock: Clock, users: readonly SimulatedPosUser[], options: PosOptions = {}) {
    this.#clock = clock
    this.#users = users
    this.#options = { prefix: '', loginPath: '/api/login', refreshPath: '', ...options }
    this.#routes()
  }

  /** A token as a login of the user with this e-mail gives it. */
  tokenFor(email: string): string {
    const user = this.#users.find((known) => known.email === email)
    if (!user) throw new Error('the simulated backend has no such user')
    return this.#issue(user)
  }

  /** Ends all tokens of a user, as somebody at the backend can. */
  revokeTokensOf(email: string): void {
    for (const [token, { user }] of this.#tokens) if (user.email === email) this.#tokens.delete(token)
  }

  #routes(): void {
    const { prefix, loginPath, refreshPath } = this.#options
    this.app.get(`${prefix}/login`, () => page(200, 'Login'))
    this.app.post(prefix + loginPath, async (context) =>
      this.#login(context.req.raw, await context.req.text()),
    )
    if (refreshPath) {
      this.app.post(prefix + refreshPath, (context) => {
        const user = this.#authenticated(context.req.raw)
        return user instanceof Response ? user : this.#tokenReply(user)
      })
    }
    this.app.get(`${prefix}/api/user`, (context) => {
      const user = this.#authenticated(context.req.raw)
      if (user instanceof Response) return user
      const shown = { ...publicUser(user), name: user.name }
      return Response.json(this.behaviour.userUnderData ? { data: shown } : shown)
    })
    this.app.post(`${prefix}/api/logout`, (context) => {
      const user = this.#authenticated(context.req.raw)
      if (user instanceof Response) return user
      this.#tokens.delete(bearerOf(context.req.raw))
      return new Response(null, { status: 204 })
    })
    this.invoices.mount(this.app, prefix)
    for (const path of [loginPath, '/api/user', '/api/logout', '/api/invoices', '/api/invoices/:id/:what']) {
      this.app.all(prefix + path, ({ req }) =>
        reply(405, `The ${req.method} method is not supported for route ${req.path.slice(1)}.`),
      )
    }
    this.app.all('*', ({ req }) => (wantsJson(req.raw) ? reply(404, 'Not Found') : page(404, 'Not Found')))
  }

  #login(request: Request, body: string): Response {
    this.logins += 1
    this.lastLoginBodySha256 = createHash('sha256').update(body).digest('hex')
    // Laravel takes a call without this header for a browser's and sends it back to the form.
    if (!wantsJson(request)) return toLoginPage(`${this.#options.prefix}/login`)
    const { email, password } = parsed(body)
    if (typeof email !== 'string' || typeof password !== 'string') {
      return invalid({ email: ['The email field is required.'] })
    }
    const throttle = this.#throttle(`login ${email}`, LOGINS_PER_MINUTE)
    if (throttle) {
      const message = `Too many login attempts. Please try again in ${throttle.retryAfterSeconds} seconds.`
      return tooMany({ message, errors: { email: [message] } }, throttle)
    }
    const user = this.#users.find((known) => known.email === email)
    if (!user || user.password !== password) return this.#wrongPassword()
    if (this.behaviour.unverified) return reply(403, 'Your email address is not verified.')
    return this.#tokenReply(this.#users.find((known) => known.email === this.behaviour.loginAs) ?? user)
  }

  #wrongPassword(): Response {
    if (this.behaviour.wrongPassword === 401) return reply(401, 'Invalid credentials')
    const message = 'The provided credentials are incorrect.'
    return invalid({ email: [message] }, message)
  }

  #tokenReply(user: SimulatedPosUser): Response {
    const token = this.#issue(user)
    const expiry = this.#expiryFields()
    switch (this.behaviour.shape) {
      case 'token':
        return Response.json({
          token,
          token_type: 'Bearer',
          ...expiry,
          user: { ...publicUser(user), name: user.name },
        })
      case 'access_token':
        return Response.json({ access_token: token, token_type: 'Bearer', ...expiry, user: publicUser(user) })
      case 'data':
        return Response.json({ data: { token, ...expiry } })
    }
  }

  #issue(user: SimulatedPosUser): string {
    if (this.behaviour.deletesOlderTokens) this.revokeTokensOf(user.email)
    this.#serial += 1
    const random = createHash('sha256').update(`${user.email} ${this.#serial}`).digest('hex').slice(0, 40)
    const token = `${this.#serial}|${random}`
    const immortal = this.behaviour.expiry === 'null' || this.behaviour.expiry === 'absent'
    this.#tokens.set(token, {
      user,
      diesAtMs: immortal ? Number.POSITIVE_INFINITY : this.#death().epochMilliseconds,
    })
    return token
  }

  #expiryFields(): Record<string, unknown> {
    switch (this.behaviour.expiry) {
      case 'expires_at':
        return { expires_at: this.#death().toString({ fractionalSecondDigits: 6 }) }
      case 'token_expiry': {
        const local = this.#death().toZonedDateTimeISO(this.behaviour.timeZone).toPlainDateTime()
        return { token_expiry: local.toString({ fractionalSecondDigits: 6 }) }
      }
      case 'expires_in':
        return { expires_in: this.behaviour.tokenLifeSeconds }
      case 'null':
        return { expires_at: null }
      case 'absent':
        return {}
    }
  }

  #death(): Temporal.Instant {
    return this.#now().add({ seconds: this.behaviour.tokenLifeSeconds })
  }

  /** This backend's own clock. */
  #now(): Temporal.Instant {
    return this.#clock.now().add({ minutes: this.behaviour.clockSkewMinutes })
  }

  /** The user of a live bearer token; else the answer of Laravel's guard. */
  #authenticated(request: Request): SimulatedPosUser | Response {
    const bearer = bearerOf(request)
    const throttle = this.#throttle(`api ${bearer}`, CALLS_PER_MINUTE)
    if (throttle) return tooMany({ message: 'Too Many Attempts.' }, throttle)
    const token = this.#tokens.get(bearer)
    const refused = this.behaviour.refusals > 0
    if (refused) this.behaviour.refusals -= 1
    if (token && !refused && token.diesAtMs > this.#now().epochMilliseconds) return token.user
    return wantsJson(request) ? reply(401, 'Unauthenticated.') : toLoginPage(`${this.#options.prefix}/login`)
  }

  /** Counts one call; says so when the minute's limit is used up. */
  #throttle(key: string, limit: number): Throttle | undefined {
    const seconds = Math.floor(this.#now().epochMilliseconds / 1000)
    const minute = Math.floor(seconds / 60)
    const before = this.#calls.get(key)
    const count = (before?.minute === minute ? before.count : 0) + 1
    this.#calls.set(key, { minute, count })
    if (count <= limit) return undefined
    const resetEpochSeconds = (minute + 1) * 60
    return { limit, retryAfterSeconds: resetEpochSeconds - seconds, resetEpochSeconds }
  }
}

function publicUser({ id, email, vendorId }: SimulatedPosUser): Record<string, unknown> {
  return { id, email, vendor_id: vendorId }
}

function bearerOf(request: Request): string {
  return /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1] ?? ''
}

/** The PDF route is asked for a PDF; all others must be asked for JSON. */
function wantsJson(request: Request): boolean {
  return /application\/(json|pdf)/.test(request.headers.get('accept') ?? '')
}

function parsed(body: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(body) as Record<string, unknown>
  } catch {
    return {}
  }
}
