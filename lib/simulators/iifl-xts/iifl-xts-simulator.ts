import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import { nextClock } from '../../model/expiry/session-model.ts'
import type { Clock } from '../../ports/clock.ts'
import { simulatedJwt } from '../kit/simulated-token.ts'
import type { Simulator, SimulatorEnv } from '../kit/simulator.ts'

const SOURCES: readonly unknown[] = ['WebAPI', 'WEBAPI']

export type XtsProduct = 'interactive' | 'marketdata'

/** One product's keys; a user has a pair for each. */
export interface XtsKeys {
  readonly product: XtsProduct
  readonly appKey: string
  readonly secretKey: string
  readonly userId: string
}

/** What can differ or go wrong. */
export interface XtsBehaviour {
  /** A new login ends the user's older session of the same product. */
  singleSession: boolean
  /** `jwt` carries an `exp`, `opaque` tells nothing. */
  tokens: 'opaque' | 'jwt'
  /** When the tokens of a day die. */
  death: { readonly at: string; readonly timeZone: string }
  /** Answers every call with e-apirl-0004, at top level or under `data`. */
  rateLimited?: { readonly shape: 'top' | 'nested'; readonly status: 400 | 429 } | undefined
}

interface Session {
  readonly product: XtsProduct
  readonly userId: string
  readonly diesAtMs: number
}

/**
 * IIFL XTS as lib/brokers/iifl-xts/README.md says: two products with keys and tokens of their own, token errors with
 * HTTP 400.
 */
export class IiflXtsSimulator implements Simulator {
  readonly id = 'iifl-xts'
  readonly hosts = ['IIFL_XTS_API']
  readonly app = new Hono<SimulatorEnv>()
  readonly behaviour: XtsBehaviour = {
    singleSession: true,
    tokens: 'opaque',
    death: { at: '23:59', timeZone: 'Asia/Kolkata' },
  }
  /** Login requests that reached the broker, successful or not. */
  logins = 0
  /** SHA-256 of the last login's body, so that a test can compare it byte for byte. */
  lastLoginBodySha256 = ''

  readonly #clock: Clock
  readonly #keys: readonly XtsKeys[]
  readonly #sessions = new Map<string, Session>()
  #serial = 0

  constructor(clock: Clock, keys: readonly XtsKeys[]) {
    this.#clock = clock
    this.#keys = keys
    this.#routes()
  }

  /** A token as a login gives it. */
  tokenFor(product: XtsProduct, userId: string): string {
    const issuedAt = this.#clock.now()
    const expiresAt = nextClock({ ...this.behaviour.death, day: 'first' }, issuedAt)
    this.#serial += 1
    const token =
      this.behaviour.tokens === 'jwt'
        ? simulatedJwt({ userID: userId }, { issuedAt, expiresAt })
        : `sim.xts.${this.#serial}-${createHash('sha256').update(`${userId} ${this.#serial}`).digest('hex')}`
    if (this.behaviour.singleSession) this.endSessions(product, userId)
    this.#sessions.set(token, { product, userId, diesAtMs: expiresAt.epochMilliseconds })
    return token
  }

  /** Ends a user's sessions, as a login elsewhere does. */
  endSessions(product: XtsProduct, userId: string): void {
    for (const [token, session] of this.#sessions) {
      if (session.product === product && session.userId === userId) this.#sessions.delete(token)
    }
  }

  #routes(): void {
    this.app.use('*', async (_context, next) => this.#rateLimit() ?? next())
    const paths = {
      interactive: { login: '/interactive/user/session', logout: '/interactive/user/session' },
      marketdata: { login: '/apimarketdata/auth/login', logout: '/apimarketdata/auth/logout' },
    } as const
    for (const product of ['interactive', 'marketdata'] as const) {
      this.app.post(paths[product].login, async (context) => this.#login(product, await context.req.text()))
      this.app.delete(paths[product].logout, (context) =>
        this.#authenticated(product, context.req.header('authorization'), (_session, token) => {
          this.#sessions.delete(token)
          return success({}, 'User logged out successfully.')
        }),
      )
    }
    const reads: readonly (readonly [XtsProduct, string, (userId: string) => Record<string, unknown>])[] = [
      ['interactive', '/interactive/user/profile', (userId) => ({ ClientId: userId })],
      ['interactive', '/interactive/user/balance', () => ({ BalanceList: [] })],
      ['marketdata', '/apimarketdata/config/clientConfig', () => ({ exchangeSegments: { NSECM: 1 } })],
    ]
    for (const [product, path, result] of reads) {
      this.app.get(path, (context) =>
        this.#authenticated(product, context.req.header('authorization'), ({ userId }) =>
          success(result(userId)),
        ),
      )
    }
  }

  #login(product: XtsProduct, body: string): Response {
    this.logins += 1
    this.lastLoginBodySha256 = createHash('sha256').update(body).digest('hex')
    const { appKey, secretKey, source } = parsed(body)
    if (!SOURCES.includes(source)) return failure('e-login-0003', 'Invalid source.')
    const keys = this.#keys.find((own) => own.product === product && own.appKey === appKey)
    if (!keys || keys.secretKey !== secretKey) return failure('e-login-0001', 'Invalid AppKey or SecretKey.')
    const { userId } = keys
    const token = this.tokenFor(product, userId)
    if (product === 'marketdata') return success({ token, userID: userId })
    return success({
      token,
      userID: userId,
      isInvestorClient: true,
      isOneTouchUser: false,
      enums: {},
      clientCodes: [userId],
      exchangeSegmentArray: [],
    })
  }

  /** Answers with the session of a live token of this product, else as XTS does: with HTTP 400. */
  #authenticated(
    product: XtsProduct,
    header: string | undefined,
    answer: (session: Session, token: string) => Response,
  ): Response {
    if (!header) return failure('e-token-0002', 'Please Provide token to Authenticate')
    const session = this.#sessions.get(header)
    const live = session?.product === product && session.diesAtMs > this.#clock.now().epochMilliseconds
    return live ? answer(session, header) : failure('e-session-0007', 'Invalid Token')
  }

  #rateLimit(): Response | undefined {
    const { rateLimited } = this.behaviour
    if (!rateLimited) return undefined
    const error = { type: 'error', code: 'e-apirl-0004', description: 'Rate limit exceeded.' }
    const body = rateLimited.shape === 'nested' ? { data: error } : { ...error, result: {} }
    return Response.json(body, { status: rateLimited.status })
  }
}

function parsed(body: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(body) as Record<string, unknown>
  } catch {
    return {}
  }
}

function success(result: Record<string, unknown>, description = 'Valid User.'): Response {
  return Response.json({ type: 'success', code: 's-user-0001', description, result })
}

function failure(code: string, description: string): Response {
  return Response.json({ type: 'error', code, description, result: {} }, { status: 400 })
}
