import { createHash } from 'node:crypto'
import { type Context, Hono } from 'hono'
import type { Clock } from '../../ports/clock.ts'
import type { Simulator, SimulatorEnv } from '../kit/simulator.ts'
import type { ZerodhaApp, ZerodhaBehaviour } from './behaviour.ts'
import { addZerodhaLogin } from './login.ts'
import { identityOf, kiteFailure, kiteSuccess, type ZerodhaUser } from './replies.ts'
import { ZerodhaSessions } from './sessions.ts'

const REQUEST_TOKEN_LIFE_S = 300

/**
 * Kite Connect v3 as lib/brokers/zerodha/README.md says: login page and API on one server, tokens dead at 06:00 IST.
 */
export class ZerodhaSimulator implements Simulator {
  readonly id = 'zerodha'
  readonly hosts = ['ZERODHA_API', 'ZERODHA_LOGIN']
  readonly app = new Hono<SimulatorEnv>()
  readonly behaviour: ZerodhaBehaviour = {
    secondLoginEndsFirst: true,
    requestTokenLifeSeconds: REQUEST_TOKEN_LIFE_S,
  }

  readonly client: ZerodhaApp
  readonly users: readonly ZerodhaUser[]
  readonly #clock: Clock
  readonly #sessions: ZerodhaSessions

  constructor(clock: Clock, client: ZerodhaApp, users: readonly ZerodhaUser[]) {
    this.#clock = clock
    this.#sessions = new ZerodhaSessions(clock)
    this.client = client
    this.users = users
    addZerodhaLogin(this.app, this)
    this.#routes()
  }

  user(userId: string): ZerodhaUser | undefined {
    return this.users.find((user) => user.userId === userId)
  }

  /** A request token as the login page's redirect carries it. */
  requestTokenFor(userId: string): string {
    return this.#sessions.newRequestToken(userId, this.behaviour.requestTokenLifeSeconds)
  }

  /** An access token as an exchange gives it. */
  accessTokenFor(userId: string): string {
    return this.#sessions.open(userId, { only: this.behaviour.secondLoginEndsFirst })
  }

  /** A refresh token as an exchange gives it to an approved platform. */
  refreshTokenFor(userId: string): string {
    return this.#sessions.newRefreshToken(userId)
  }

  /** Ends every session of the user, as "log out everywhere" in Kite web does. */
  masterLogout(userId: string): void {
    this.#sessions.endAll(userId)
  }

  #routes(): void {
    this.app.post('/session/token', async ({ req }) => this.#exchange(await req.text()))
    this.app.post('/session/refresh_token', async ({ req }) => this.#renew(await req.text()))
    this.app.delete('/session/token', (context) => this.#logout(context))
    this.app.get('/user/profile', (context) =>
      this.#withUser(context, (user) => kiteSuccess({ ...identityOf(user) })),
    )
    this.app.get('/user/margins', (context) =>
      this.#withUser(context, () => kiteSuccess({ equity: { enabled: true, net: 0 } })),
    )
    this.app.post('/orders/:variety', (context) => this.#withUser(context, () => this.#order(context)))
    // Whatever is not there answers in Kite's envelope as well.
    for (const path of ['/session/token', '/session/refresh_token', '/user/*', '/orders/:variety']) {
      this.app.all(path, () => kiteFailure(405, 'InputException', 'Method not allowed'))
    }
    this.app.all('*', () => kiteFailure(404, 'GeneralException', 'Route not found'))
  }

  #exchange(form: string): Response {
    const presented = this.#presented(form, 'request_token')
    if (presented instanceof Response) return presented
    const userId = this.#sessions.spendRequestToken(presented)
    return userId === undefined ? dead() : this.#session(userId)
  }

  #renew(form: string): Response {
    const presented = this.#presented(form, 'refresh_token')
    if (presented instanceof Response) return presented
    const userId = this.#sessions.holderOfRefreshToken(presented)
    const { approvedPlatform } = this.behaviour
    if (userId === undefined || approvedPlatform === undefined) return dead()
    if (approvedPlatform === 'static') return this.#session(userId, presented)
    this.#sessions.revoke(presented)
    return this.#session(userId)
  }

  /** What an exchange or a renewal presents, when key and checksum are right. */
  #presented(form: string, field: string): string | Response {
    const fields = new URLSearchParams(form)
    const missing = ['api_key', field, 'checksum'].find((name) => !fields.get(name))
    if (missing) return kiteFailure(400, 'InputException', `Missing or empty field \`${missing}\``)
    if (fields.get('api_key') !== this.client.apiKey) {
      return kiteFailure(400, 'InputException', 'Invalid `api_key`.')
    }
    const presented = fields.get(field) ?? ''
    const { apiKey, secret } = this.client
    const checksum = createHash('sha256').update(`${apiKey}${presented}${secret}`).digest('hex')
    if (fields.get('checksum') === checksum) return presented
    return kiteFailure(403, 'TokenException', 'Invalid `checksum`.')
  }

  /**
   * The reply of both session calls (lib/brokers/zerodha/README.md, Endpoints); only approved platforms get a refresh
   * token.
   */
  #session(userId: string, keptRefreshToken?: string): Response {
    const user = this.user(userId)
    if (!user) return dead()
    const approved = this.behaviour.approvedPlatform !== undefined
    const accessToken = this.accessTokenFor(userId)
    return kiteSuccess({
      ...identityOf(user),
      api_key: this.client.apiKey,
      access_token: accessToken,
      public_token: `public${accessToken.slice(6)}`,
      refresh_token: approved ? (keptRefreshToken ?? this.refreshTokenFor(userId)) : '',
      login_time: this.#localTime(),
    })
  }

  #logout({ req }: Context): Response {
    if (req.query('api_key') !== this.client.apiKey) {
      return kiteFailure(400, 'InputException', 'Invalid `api_key`.')
    }
    const { access_token: accessToken, refresh_token: refreshToken } = req.query()
    const ended = accessToken ? this.#sessions.end(accessToken) : this.#sessions.revoke(refreshToken ?? '')
    return ended ? kiteSuccess(true) : dead()
  }

  /**
   * Since April 2026 orders, and orders only, are bound to a registered address (lib/brokers/zerodha/README.md,
   * Limits).
   */
  #order(context: Context<SimulatorEnv>): Response {
    const from = context.env.incoming.socket?.remoteAddress ?? ''
    const { orderAddresses } = this.behaviour
    if (orderAddresses && !orderAddresses.includes(from)) {
      return kiteFailure(403, 'PermissionException', 'The address of this request is not registered')
    }
    return kiteSuccess({ order_id: '260912000000001' })
  }

  #withUser(context: Context<SimulatorEnv>, reply: (user: ZerodhaUser) => Response): Response {
    const [apiKey, accessToken = ''] = (context.req.header('authorization') ?? '')
      .replace(/^token /, '')
      .split(':')
    const user = this.user(this.#sessions.holderOf(accessToken) ?? '')
    if (apiKey !== this.client.apiKey || !user) {
      return kiteFailure(403, 'TokenException', 'Incorrect `api_key` or `access_token`.')
    }
    return reply(user)
  }

  /** `login_time` names no zone: it is Indian (lib/brokers/zerodha/README.md, Endpoints). */
  #localTime(): string {
    const local = this.#clock.now().toZonedDateTimeISO('Asia/Kolkata').toPlainDateTime()
    return local.toString({ smallestUnit: 'second' }).replace('T', ' ')
  }
}

function dead(): Response {
  return kiteFailure(403, 'TokenException', 'Token is invalid or has expired.')
}
