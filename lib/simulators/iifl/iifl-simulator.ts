import { type Context, Hono } from 'hono'
import type { Clock } from '../../ports/clock.ts'
import type { Simulator, SimulatorEnv } from '../kit/simulator.ts'
import { type IiflBehaviour, type IiflUser, iiflBehaviour } from './behaviour.ts'
import { IiflKeyExchange, type Received } from './keys.ts'
import { IiflLoginEndpoint } from './login.ts'
import { addIiflLoginPage } from './page.ts'
import { IiflSessions, PerSecondLimit } from './sessions.ts'

/** Calls per session and second (lib/brokers/iifl/README.md, Limits). */
const PER_SECOND = { logout: 2, getusersession: 3, profile: 3, limits: 10 } as const

type Body = Readonly<Record<string, unknown>>

/**
 * IIFL Capital as lib/brokers/iifl/README.md says: login page, both headless logins with real RSA and AES, sessions.
 */
export class IiflSimulator implements Simulator {
  readonly id = 'iifl'
  readonly hosts = ['IIFL_API', 'IIFL_IDAAS', 'IIFL_LOGIN']
  readonly app = new Hono<SimulatorEnv>()
  readonly behaviour: IiflBehaviour = iiflBehaviour()
  readonly login: IiflLoginEndpoint
  readonly sessions: IiflSessions
  /** Every device id variant B has named, by client id. */
  readonly devices = new Map<string, Set<unknown>>()

  readonly #keys: IiflKeyExchange
  readonly #limit: PerSecondLimit
  readonly #users: ReadonlyMap<string, IiflUser>

  constructor(clock: Clock, users: readonly IiflUser[]) {
    this.#users = new Map(users.map((user) => [user.clientId.toUpperCase(), user]))
    this.#keys = new IiflKeyExchange(clock, this.behaviour)
    this.#limit = new PerSecondLimit(clock)
    this.login = new IiflLoginEndpoint(clock, this.#users, this.behaviour)
    this.sessions = new IiflSessions(clock, this.behaviour)
    addIiflLoginPage(this.app, this)
    this.#variantA()
    this.#variantB()
    this.#api()
  }

  /** How many passwords of this client IIFL has looked at. */
  passwordAttempts(clientId: string): number {
    return this.login.passwords.filter((attempt) => attempt.clientId === clientId).length
  }

  usersOf(appKey: string): readonly IiflUser[] {
    return [...this.#users.values()].filter((user) => user.appKey === appKey)
  }

  /** A code as the login page's redirect carries it, and whose it is. */
  authCodeFor(clientId: string): { readonly code: string; readonly owner: string } {
    const user = this.#users.get(clientId.toUpperCase())
    if (!user) throw new Error(`the simulator has no client ${clientId}`)
    return { code: this.sessions.codeFor(user), owner: user.clientId }
  }

  /** A session as a login of this client gives it. */
  sessionOf(clientId: string): string {
    const user = this.#users.get(clientId.toUpperCase())
    if (!user) throw new Error(`the simulator has no client ${clientId}`)
    return this.sessions.sessionFor(user)
  }

  /** Encrypted password, everything else plain (lib/brokers/iifl/README.md, Unattended login). */
  #variantA(): void {
    this.app.post('/v1/get/enckey', async (context) => this.#exchangeKeys(await bodyOf(context)))
    this.app.post('/v1/validatepassword', async (context) => {
      const received = await this.#keys.receive((await bodyOf(context))['cEncData'])
      if (!received) return this.#failure('EC062')
      const verdict = this.login.password(received.payload['clientId'], received.payload['password'])
      return 'refused' in verdict ? this.#failure(verdict.refused) : this.#success({ token: verdict.token })
    })
    this.app.post('/v1/validatetotp', async (context) => {
      const body = await bodyOf(context)
      const user = this.login.holder(bearerOf(context), 'password')
      if (user && body['appKey'] !== user.appKey) return this.#failure('EC054')
      const verdict = this.login.totp(bearerOf(context), body['clientId'], body['totp'])
      if ('refused' in verdict) return this.#failure(verdict.refused)
      if (!this.behaviour.authorized) return this.#failure('EC055')
      return this.#success({ authCode: this.sessions.codeFor(verdict.user) })
    })
  }

  /** lib/brokers/iifl/README.md, Unattended login: the web portal's single sign-on, encrypted both ways. */
  #variantB(): void {
    this.app.post('/v1/sso/vendor/details', async (context) => {
      const { vendor } = await bodyOf(context)
      const known = [...this.#users.values()].some(({ appKey }) => appKey === vendor)
      return known ? this.#success({ vendor, appName: 'SIM APP' }) : this.#failure('EC054')
    })
    this.app.post('/v2/access/get/encKey', async (context) => this.#exchangeKeys(await bodyOf(context)))
    this.app.post('/v2/access/pwd/validate', async (context) => {
      const received = await this.#keys.receive((await bodyOf(context))['cEncData'])
      if (!received) return this.#failure('EC062')
      const { userId, password, versionNo } = received.payload
      const badApp = versionNo === 'A.0.0.1' ? this.#badApp(received.payload) : 'EC059'
      if (badApp) return this.#failure(badApp, received)
      const verdict = this.login.password(userId, password)
      if ('refused' in verdict) return this.#failure(verdict.refused, received)
      return this.#success({ token: verdict.token }, received)
    })
    this.app.post('/v2/access/topt/verify', async (context) => {
      const received = await this.#keys.receive((await bodyOf(context))['cEncData'])
      if (!received) return this.#failure('EC062')
      const badApp = this.#badApp(received.payload)
      if (badApp) return this.#failure(badApp, received)
      const verdict = this.login.totp(bearerOf(context), received.payload['userId'], received.payload['totp'])
      if ('refused' in verdict) return this.#failure(verdict.refused, received)
      return this.#success({ accessToken: verdict.token }, received)
    })
    this.app.post('/v1/sso/vendor/authorize', async (context) => {
      const { userId, vendor } = await bodyOf(context)
      const user = this.login.holder(bearerOf(context), 'totp')
      if (!user) return this.#failure('EC044')
      if (String(userId).toUpperCase() !== user.clientId.toUpperCase()) return this.#failure('EC075')
      if (vendor !== user.appKey) return this.#failure('EC054')
      if (!this.behaviour.authorized) return this.#failure('EC055')
      return this.#success({ authCode: this.sessions.codeFor(user) })
    })
  }

  #api(): void {
    this.app.post('/v1/getusersession', async (context) => {
      const user = this.sessions.redeem((await bodyOf(context))['checkSum'])
      if (this.#limit.exceeded(`getusersession ${user?.clientId}`, PER_SECOND.getusersession))
        return tooMany()
      if (!user) return Response.json({ status: 'Not_Ok', message: 'Something went wrong with this login' })
      const session = this.sessions.sessionFor(user)
      switch (this.behaviour.sessionShape) {
        case 'object':
          return Response.json({ status: 'Ok', result: { userSession: session } })
        case 'array':
          return Response.json({ status: 'Ok', result: [{ userSession: session }] })
        default:
          return Response.json({ status: 'Ok', [this.behaviour.sessionShape]: session })
      }
    })
    this.app.get('/v1/profile', (context) =>
      this.#asHolder(context, 'profile', ({ clientId, name }) => ({
        clientId: this.behaviour.profileClientId ?? clientId,
        clientName: name,
        isTotpEnabled: 'Y',
        accountStatus: 'Na',
        exchanges: ['NSEEQ', 'BSEEQ'],
        email: 'sim.one@example.invalid',
      })),
    )
    this.app.on('GET', ['/v1/limits', '/v1/limits/fno', '/v1/limits/equity'], (context) =>
      this.#asHolder(context, 'limits', () => ({ cash: 100_000 })),
    )
    this.app.post('/v1/profile/logout', (context) =>
      this.#asHolder(context, 'logout', ({ clientId }) => {
        this.sessions.end(clientId)
        return { status: 'Success', message: 'Success' }
      }),
    )
  }

  #asHolder(context: Context, call: keyof typeof PER_SECOND, result: (user: IiflUser) => Body): Response {
    const session = bearerOf(context)
    if (this.#limit.exceeded(`${call} ${session}`, PER_SECOND[call])) return tooMany()
    const user = this.sessions.holder(session)
    if (user) return Response.json({ status: 'Ok', message: 'Success', result: result(user) })
    const { deadSession } = this.behaviour
    if (deadSession === 'HTTP 401') return Response.json({ error: 'Unauthorized' }, { status: 401 })
    return Response.json({ status: deadSession, message: 'The session is over' })
  }

  async #exchangeKeys({ ceData }: Body): Promise<Response> {
    const key = await this.#keys.exchange(ceData)
    if (key === undefined) return this.#failure('EC062')
    return Response.json(
      this.behaviour.keyShape === 'cPubKey' ? { cPubKey: key } : { result: [{ seData: key }] },
    )
  }

  #badApp({ userId, deviceId, appName, osName }: Body): string | undefined {
    const seen = this.devices.get(String(userId)) ?? new Set()
    this.devices.set(String(userId), seen.add(deviceId))
    if (typeof deviceId !== 'string' || deviceId === '') return 'EC058'
    if (appName !== 'IIFLMARKETSWEB') return 'EC060'
    return osName === 'WEBINTERNAL' ? undefined : 'EC061'
  }

  #success(fields: Body, received?: Received): Response {
    const shapes = { object: { result: fields }, array: { result: [fields] }, top: fields }
    const reply = { status: 'Ok', ...shapes[this.behaviour.resultShape] }
    return Response.json(received ? { cRespEncData: received.seal(reply) } : reply)
  }

  #failure(code: string, received?: Received): Response {
    const { codeIn, encryptsErrors, failureStatus: status } = this.behaviour
    const reply = { status: codeIn === 'status' ? code : 'Not_Ok', message: `${code}: refused` }
    return Response.json(received && encryptsErrors ? { cRespEncData: received.seal(reply) } : reply, {
      status,
    })
  }
}

async function bodyOf(context: Context): Promise<Body> {
  return (await context.req.json().catch(() => ({}))) as Body
}

function bearerOf(context: Context): string | undefined {
  return context.req.header('authorization')?.replace(/^Bearer /, '')
}

function tooMany(): Response {
  return Response.json({ status: 'Not_Ok', message: 'Too many requests' }, { status: 429 })
}
