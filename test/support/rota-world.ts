import type { AccountId } from '../../lib/model/account-id.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import type { SimulatorServer } from '../../lib/simulators/kit/simulator-server.ts'
import { RotabrokerSimulator, rotabroker } from './rotating-broker.ts'
import { World } from './world.ts'

/** A world with the broker that rotates its refresh tokens. */
export class RotaWorld extends World {
  readonly broker: Broker = rotabroker
  readonly simulator = new RotabrokerSimulator(this.clock)
  /** What serves the simulator, once the world is open. */
  server!: SimulatorServer

  static async open(): Promise<RotaWorld> {
    const world = new RotaWorld()
    world.server = await world.serve(world.simulator)
    return world
  }

  /** An account in which this user has logged in: it has a refresh token and no access token yet. */
  async rotaAccount(id = 'rotabroker', user = 'SIM001'): Promise<AccountId> {
    return this.account(id, { client_id: 'sim-client', refresh_token: this.simulator.login(user) })
  }

  /** As many of them, by the users SIM0, SIM1 and so on. */
  async rotaAccounts(count: number): Promise<AccountId[]> {
    const ids: AccountId[] = []
    for (let i = 0; i < count; i++)
      ids.push(await this.rotaAccount(`rotabroker/SIM${String(i).padStart(3, '0')}`, `SIM${i}`))
    return ids
  }
}
