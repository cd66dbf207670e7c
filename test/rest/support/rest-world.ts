import type { Hono } from 'hono'
import { fyers } from '../../../lib/brokers/fyers/fyers.ts'
import { iifl } from '../../../lib/brokers/iifl/iifl.ts'
import { upstox } from '../../../lib/brokers/upstox/upstox.ts'
import { sqliteApiKeys } from '../../../lib/local/sqlite-api-keys.ts'
import { type AccountId, parseAccountId } from '../../../lib/model/account-id.ts'
import { newApiKey, SCOPES, type Scope } from '../../../lib/model/api-key.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { RestOptions } from '../../../lib/rest/rest-env.ts'
import { FyersSimulator } from '../../../lib/simulators/fyers/fyers-simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { TokenServiceSimulator } from '../../../lib/simulators/token-service/token-service-simulator.ts'
import { UpstoxSimulator } from '../../../lib/simulators/upstox/upstox-simulator.ts'
import { tokenService } from '../../../lib/tokens/service/token-service.ts'
import { siteApp } from '../../../lib/web/app.ts'
import { World } from '../../support/world.ts'

const APP = {
  clientId: 'sim-api-key',
  secret: 'S3CRET-UPSTOX-APP',
  redirectUri: 'https://example.invalid/cb',
}
const USERS = ['SIM001', 'SIM002'].map((userId) => ({ userId, name: `USER ${userId}` }))
export const FYERS_APP = { clientId: 'ABCDEFGH12-100', secret: 'S3CRET-FYERS-APP' }
const FYERS_USER = { fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' }

export interface Asked {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Empty where the reply is no JSON. */
  readonly body: Record<string, unknown>
}

export interface Asking {
  readonly key?: string
  readonly body?: unknown
  /** Instead of a JSON body. */
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * The REST interface on the embedded adapters, with two simulated brokers: Upstox behind a token service (two accounts,
 * ACC1 and ACC2), and FYERS, which renews with a refresh token. It is 23 November 2026, 08:00 IST.
 */
export class RestWorld extends World {
  readonly upstox = new UpstoxSimulator(this.clock, APP, USERS)
  readonly fyers = new FyersSimulator(this.clock, FYERS_APP, [FYERS_USER])
  readonly service = new TokenServiceSimulator(this.clock, {
    ACC1: () => this.upstox.accessTokenFor('SIM001'),
    ACC2: () => this.upstox.accessTokenFor('SIM002'),
  })
  readonly keys = sqliteApiKeys(this.database)
  readonly brokers: readonly Broker[] = [fyers, iifl, upstox]
  app!: Hono
  upstoxServer!: SimulatorServer
  serviceServer!: SimulatorServer
  fyersServer!: SimulatorServer

  static async open(options: Partial<RestOptions> = {}): Promise<RestWorld> {
    const world = new RestWorld('2026-11-23T08:00:00+05:30')
    world.upstoxServer = await world.serve(world.upstox)
    world.serviceServer = await world.serve(world.service)
    world.fyersServer = await world.serve(world.fyers)
    world.mount(options)
    return world
  }

  /** The site as it is composed, with some of its parts replaced. */
  mount(options: Partial<RestOptions> = {}): void {
    const { brokers, ports, keys } = this
    const tokens = tokenService({ brokers, ports })
    const rest = { keys, tokens, access: 'keys' as const, ...options }
    this.app = siteApp({ brokers, ports: { ...ports, ...options.ports }, timeZone: 'Asia/Kolkata', rest })
  }

  /** Both accounts of Upstox, with a token published. */
  async upstoxAccounts(): Promise<readonly [AccountId, AccountId]> {
    const accounts = [await this.account('upstox/ACC1', {}), await this.account('upstox/ACC2', {})] as const
    await this.run(upstox)
    return accounts
  }

  /** FYERS' default account, with a token published. */
  async fyersAccount(): Promise<AccountId> {
    const account = await this.account('fyers', {
      client_id: FYERS_APP.clientId,
      client_secret: FYERS_APP.secret,
      pin: FYERS_USER.pin,
      refresh_token: this.fyers.refreshTokenFor(FYERS_USER.fyId, 1),
    })
    await this.run(fyers)
    return account
  }

  /** A new key; with every scope there is where none is named. */
  async key(
    scopes: readonly Scope[] = SCOPES,
    accounts?: readonly string[],
    lifeHours?: number,
  ): Promise<string> {
    const createdAt = this.clock.now()
    const { text, key } = newApiKey({
      name: 'a test',
      scopes,
      createdAt,
      ...(accounts && { accounts: accounts.map(parseAccountId) }),
      ...(lifeHours !== undefined && { expiresAt: createdAt.add({ hours: lifeHours }) }),
    })
    await this.keys.create(key)
    return text
  }

  async ask(method: string, path: string, { key, body, text, headers = {} }: Asking = {}): Promise<Asked> {
    const content = text ?? (body === undefined ? undefined : JSON.stringify(body))
    const reply = await this.app.request(path, {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(content !== undefined && { body: content }),
    })
    return askedOf(reply)
  }

  get(path: string, key?: string): Promise<Asked> {
    return this.ask('GET', path, key === undefined ? {} : { key })
  }

  post(path: string, key: string, body: unknown = {}): Promise<Asked> {
    return this.ask('POST', path, { key, body })
  }
}

async function askedOf(reply: Response): Promise<Asked> {
  const text = await reply.text()
  const isJson = /json/.test(reply.headers.get('content-type') ?? '')
  return { status: reply.status, headers: reply.headers, text, body: isJson && text ? JSON.parse(text) : {} }
}
