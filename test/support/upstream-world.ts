import type { AccountId } from '../../lib/model/account-id.ts'
import type { SimulatorServer } from '../../lib/simulators/kit/simulator-server.ts'
import { TokenServiceSimulator } from '../../lib/simulators/token-service/token-service-simulator.ts'
import { UpstoxSimulator } from '../../lib/simulators/upstox/upstox-simulator.ts'
import { World } from './world.ts'

const APP = {
  clientId: 'sim-api-key',
  secret: 'S3CRET-UPSTOX-APP',
  redirectUri: 'https://example.invalid/cb',
}
const USERS = ['SIM001', 'SIM002', 'SIM003'].map((userId) => ({ userId, name: `USER ${userId}` }))

/** Upstox with a token service in front of it, on 23 November 2026 at 08:00 IST, and one account of it. */
export interface UpstreamWorld {
  readonly world: World
  readonly broker: UpstoxSimulator
  readonly brokerServer: SimulatorServer
  readonly service: TokenServiceSimulator
  readonly server: SimulatorServer
  readonly account: AccountId
}

export async function upstreamWorld(): Promise<UpstreamWorld> {
  const world = new World('2026-11-23T08:00:00+05:30')
  const broker = new UpstoxSimulator(world.clock, APP, USERS)
  const brokerServer = await world.serve(broker)
  const service = new TokenServiceSimulator(world.clock, {
    ACC1: () => broker.accessTokenFor('SIM001'),
    ACC2: () => broker.accessTokenFor('SIM002'),
    ACC3: () => broker.accessTokenFor('SIM003'),
    default: () => broker.accessTokenFor('SIM001'),
  })
  const server = await world.serve(service)
  const account = await world.account('upstox/ACC1', {})
  return { world, broker, brokerServer, service, server, account }
}
