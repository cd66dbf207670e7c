import { iiflXts } from '../../../lib/brokers/iifl-xts/iifl-xts.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { AccountResult } from '../../../lib/model/outcome.ts'
import { IiflXtsSimulator } from '../../../lib/simulators/iifl-xts/iifl-xts-simulator.ts'
import type { SimulatedFault } from '../../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { World } from '../../support/world.ts'

const KEYS = [
  { product: 'interactive', appKey: 'SIMXTSAPPKEY', secretKey: 'S3CRET', userId: 'SIMUSER1' },
  { product: 'marketdata', appKey: 'SIMXTSMDKEY1', secretKey: 'S3CRET-OF-MD', userId: 'SIMUSER1' },
] as const
export const LOGIN = '/interactive/user/session'
export const PROFILE = '/interactive/user/profile'

/** A world with the simulated IIFL XTS in it and one account, at 07:35 India time. */
export interface XtsSetting {
  readonly world: World
  readonly simulator: IiflXtsSimulator
  readonly server: SimulatorServer
  readonly account: AccountId
  /** Runs and gives the first account's line. */
  only(options?: { force?: boolean }): Promise<AccountResult>
}

export async function xtsSetting(): Promise<XtsSetting> {
  const world = new World('2026-11-23T07:35:00+05:30')
  const simulator = new IiflXtsSimulator(world.clock, KEYS)
  const server = await world.serve(simulator)
  const account = await world.account('iifl-xts', { client_id: 'SIMXTSAPPKEY', client_secret: 'S3CRET' })
  return { world, simulator, server, account, only: (options) => world.runOne(iiflXts, options) }
}

/** A refusal in the broker's form, with a text no message of ours may repeat. */
export function error(status: number, code: string, nested = false): SimulatedFault {
  const body = { type: 'error', code, description: 'SIM PROSE 7f3a', result: {} }
  return { kind: 'reply', status, body: JSON.stringify(nested ? { data: body } : body) }
}
