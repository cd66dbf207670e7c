import { posConnector } from '../../lib/brokers/pos-connector/pos-connector.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import type { AccountSettings } from '../../lib/model/account-state.ts'
import type { AccountResult } from '../../lib/model/outcome.ts'
import type { SimulatorServer } from '../../lib/simulators/kit/simulator-server.ts'
import type { PosOptions } from '../../lib/simulators/pos-connector/behaviour.ts'
import { PosConnectorSimulator } from '../../lib/simulators/pos-connector/pos-connector-simulator.ts'
import { World } from './world.ts'

export const POS_USER = {
  id: 7,
  name: 'SIM POS',
  email: 'pos@example.invalid',
  password: 'S3CRET',
  vendorId: 'VENDOR-1',
}
export const OTHER_POS_USER = {
  ...POS_USER,
  id: 8,
  email: 'other@example.invalid',
  password: 'S3CRET-OF-THE-OTHER',
}

export interface PosWorld {
  readonly world: World
  readonly simulator: PosConnectorSimulator
  readonly server: SimulatorServer
  readonly account: AccountId
  /** One run over the account; its line of the report. */
  run(options?: { force?: boolean; seconds?: number }): Promise<AccountResult>
  token(): Promise<string | undefined>
}

/** A POS account whose token, by default, lives until 15:52 UTC. */
export async function posWorld(
  given: { start?: string; backend?: PosOptions; settings?: AccountSettings; path?: string } = {},
): Promise<PosWorld> {
  const world = new World(given.start ?? '2025-07-12T07:52:00+00:00')
  const simulator = new PosConnectorSimulator(world.clock, [POS_USER, OTHER_POS_USER], given.backend)
  simulator.behaviour.tokenLifeSeconds = 8 * 3_600
  const server = await world.serve(simulator)
  const account = await world.account(
    'pos-connector',
    {
      base_url: server.origin + (given.path ?? ''),
      email: POS_USER.email,
      password: POS_USER.password,
      vendor_id: POS_USER.vendorId,
    },
    given.settings,
  )
  return {
    world,
    simulator,
    server,
    account,
    run: (options) => world.runOne(posConnector, options),
    token: () => world.stored(account, 'access_token'),
  }
}
