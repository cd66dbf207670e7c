import { type AccountId, parseAccountId } from '../../../lib/model/account-id.ts'
import { FyersSimulator } from '../../../lib/simulators/fyers/fyers-simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { TokenServiceSimulator } from '../../../lib/simulators/token-service/token-service-simulator.ts'
import { UpstoxSimulator } from '../../../lib/simulators/upstox/upstox-simulator.ts'
import { World } from '../../support/world.ts'

const UPSTOX_APP = {
  clientId: 'sim-api-key',
  secret: 'S3CRET-UPSTOX-APP',
  redirectUri: 'https://example.invalid/cb',
}

/** FYERS with a refresh token, and Upstox behind a token service, for programs that find them at their own addresses. */
export class ConsumerWorld extends World {
  readonly fyersApp = { clientId: 'ABCDEFGH12-100', secret: 'S3CRET-FYERS-APP' }
  readonly fyersUser = { fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' }
  readonly fyersId: AccountId = parseAccountId('fyers')
  fyersServer!: SimulatorServer
  upstoxServer!: SimulatorServer
  readonly #fyers = new FyersSimulator(this.clock, this.fyersApp, [this.fyersUser])
  readonly #upstox = new UpstoxSimulator(this.clock, UPSTOX_APP, [{ userId: 'SIM001', name: 'SIM USER ONE' }])

  /** `start` is what the brokers take for now. */
  static async open(start: string): Promise<ConsumerWorld> {
    const world = new ConsumerWorld(start)
    world.fyersServer = await world.serve(world.#fyers)
    world.upstoxServer = await world.serve(world.#upstox)
    const ACC1 = () => world.#upstox.accessTokenFor('SIM001')
    await world.serve(new TokenServiceSimulator(world.clock, { ACC1 }))
    return world
  }

  /** Where the brokers' own addresses lead. */
  get addresses(): Readonly<Record<string, string>> {
    return { 'api-t1.fyers.in': this.fyersServer.origin, 'api.upstox.com': this.upstoxServer.origin }
  }

  /** FYERS' default account, ready to be refreshed. */
  fyersAccount(): Promise<AccountId> {
    return this.account(this.fyersId, {
      client_id: this.fyersApp.clientId,
      client_secret: this.fyersApp.secret,
      pin: this.fyersUser.pin,
      refresh_token: this.#fyers.refreshTokenFor(this.fyersUser.fyId, 1),
    })
  }
}
