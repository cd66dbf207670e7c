import { iifl } from '../../../lib/brokers/iifl/iifl.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { AccountSettings } from '../../../lib/model/account-state.ts'
import type { AccountResult } from '../../../lib/model/outcome.ts'
import type { SecretName } from '../../../lib/model/secrets/secret-name.ts'
import type { IiflUser } from '../../../lib/simulators/iifl/behaviour.ts'
import { IiflSimulator } from '../../../lib/simulators/iifl/iifl-simulator.ts'
import type { SimulatedFault } from '../../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { World } from '../../support/world.ts'

export const ONE: IiflUser = {
  clientId: 'IIFLTEST1',
  name: 'SIM USER ONE',
  password: 'Passw0rd!-canary-one',
  totpSecret: 'JBSWY3DPEHPK3PXP',
  appKey: 'SIMAPPKEY-canary-one',
  appSecret: 'S3CRET-canary-one',
}

export const TWO: IiflUser = {
  clientId: 'IIFLTEST2',
  name: 'SIM USER TWO',
  password: 'Passw0rd!-canary-two',
  totpSecret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
  appKey: 'SIMAPPKEY-canary-two',
  appSecret: 'S3CRET-canary-two',
}

export type Variant = 'A' | 'B'

/** The paths of the steps of each variant. */
export const PATHS = {
  A: { keys: '/v1/get/enckey', password: '/v1/validatepassword', totp: '/v1/validatetotp' },
  B: { keys: '/v2/access/get/encKey', password: '/v2/access/pwd/validate', totp: '/v2/access/topt/verify' },
} as const
export const SESSION = '/v1/getusersession'
export const PROFILE = '/v1/profile'

export function secretsOf(user: IiflUser): Partial<Record<SecretName, string>> {
  return {
    user_id: user.clientId,
    password: user.password,
    totp_secret: user.totpSecret,
    client_id: user.appKey,
    client_secret: user.appSecret,
  }
}

/** A world with the simulated IIFL in it and one account. */
export interface Setting {
  readonly world: World
  readonly simulator: IiflSimulator
  readonly server: SimulatorServer
  readonly account: AccountId
  /** Runs and gives the one account's line. */
  run(options?: { force?: boolean; seconds?: number }): Promise<AccountResult>
  /** How many passwords IIFL has been sent for it. */
  passwords(): number
  /** Runs a day long every half hour, forced as an impatient person would, and gives the outcomes. */
  dayOfRuns(): Promise<string[]>
}

export const THREE_AM = '2026-11-23T03:00:00+05:30'

export async function settingAt(start: string, settings: AccountSettings = {}): Promise<Setting> {
  const world = new World(start)
  const simulator = new IiflSimulator(world.clock, [ONE, TWO])
  const server = await world.serve(simulator)
  const account = await world.account('iifl/IIFLTEST1', secretsOf(ONE), settings)
  const run: Setting['run'] = (options = {}) => world.runOne(iifl, { accounts: [account], ...options })
  return {
    world,
    simulator,
    server,
    account,
    run,
    passwords: () => simulator.passwordAttempts(ONE.clientId),
    async dayOfRuns() {
      const outcomes: string[] = []
      for (let i = 0; i < 40; i++) {
        outcomes.push((await run({ force: true })).outcome)
        world.clock.advance({ minutes: 30 })
      }
      return outcomes
    },
  }
}

export function variant(headlessVariant: Variant): AccountSettings {
  return { options: { headlessVariant } }
}

/** A reply with this code, or with a plain Not_Ok. */
export function refusal(status: string, message = 'refused', httpStatus = 200): SimulatedFault {
  return { kind: 'reply', status: httpStatus, body: JSON.stringify({ status, message }) }
}

/** A new world at three in the morning, whose account logs in by this variant. */
export async function restartedWith(name: Variant, before: Setting): Promise<Setting> {
  await before.world.close()
  return settingAt(THREE_AM, variant(name))
}
