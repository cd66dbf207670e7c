import type { AccountSettings } from '../../../lib/model/account-state.ts'
import type { SecretName } from '../../../lib/model/secrets/secret-name.ts'
import { type CutWorld, SHORT_RUN_SECONDS } from './cut-world.ts'
import { cutbroker, lastingCutbroker } from './one-session-broker.ts'
import type { OneSessionSimulator } from './one-session-simulator.ts'
import { Process } from './process.ts'
import type { Scenario } from './scenario.ts'

type Secrets = Partial<Record<SecretName, string>>

const CLIENT = { client_id: 'SIM-APP', client_secret: 'SIMULATED-client-secret' }
/** With it a token of 12 hours is due after half an hour. */
const SOON_DUE: AccountSettings = { leewayMinutes: 690 }

/** An account that is kept alive by this grant. */
export interface Kind {
  readonly title: string
  readonly broker: Scenario['broker']
  readonly mints: string
  readonly settings?: AccountSettings
  secrets(simulator: OneSessionSimulator): Secrets
}

export const ROTATING: Kind = {
  title: 'a rotating refresh token',
  broker: cutbroker,
  mints: '/token',
  secrets: (simulator) => ({ ...CLIENT, refresh_token: simulator.newFamily() }),
}

export const GRANTS: readonly Kind[] = [
  ROTATING,
  {
    title: 'a refresh token that stays',
    broker: lastingCutbroker,
    mints: '/token',
    secrets: ({ staticRefreshToken }) => ({ ...CLIENT, refresh_token: staticRefreshToken }),
  },
  {
    title: 'password and one-time code',
    broker: cutbroker,
    mints: '/login',
    secrets: ({ password, totpSecret }) => ({ ...CLIENT, password, totp_secret: totpSecret }),
  },
  {
    title: 'another token service',
    broker: cutbroker,
    mints: '/upstream',
    settings: { options: { upstream: 'on' } },
    secrets: () => CLIENT,
  },
  {
    title: 'a refresh token, then password and one-time code',
    broker: cutbroker,
    mints: '/token',
    secrets: (simulator) => ({
      ...CLIENT,
      refresh_token: simulator.newFamily(),
      password: simulator.password,
      totp_secret: simulator.totpSecret,
    }),
  },
]

/** An account of this kind, with a token published already. */
export async function published(world: CutWorld, kind: Kind): Promise<void> {
  await world.register(kind.secrets(world.simulator), { ...kind.settings, ...SOON_DUE })
  await world.run()
  if (!(await world.isLive())) throw new Error('the first run published nothing')
}

/** One run with this grant: for the first token, in good time before the old one dies, and by force. */
export function runsWith(kind: Kind): readonly Scenario[] {
  const { title, broker, mints } = kind
  const common = { ...(broker && { broker }), mints }
  return [
    {
      ...common,
      title: `${title}: the first token`,
      isVariant: true,
      async prepare(world) {
        await world.register(kind.secrets(world.simulator), { ...kind.settings, ...SOON_DUE })
        return { work: (_, process) => world.run({ process }) }
      },
    },
    {
      ...common,
      title: `${title}: a renewal that is due`,
      async prepare(world) {
        await published(world, kind)
        world.clock.advance({ minutes: 31 })
        return { work: (_, process) => world.run({ process }) }
      },
    },
    {
      ...common,
      title: `${title}: a renewal by force`,
      isVariant: true,
      async prepare(world) {
        await published(world, kind)
        world.clock.advance({ minutes: 5 })
        return { work: (_, process) => world.run({ process, force: true }) }
      },
    },
  ]
}

/** The run after one that was killed just after that call of it. */
function afterKilled(call: number): Scenario {
  return {
    title: `the run after one that was killed at call ${call}`,
    mints: '/token',
    isVariant: true,
    async prepare(world) {
      await published(world, ROTATING)
      world.clock.advance({ minutes: 31 })
      const killed = new Process({ call, when: 'after' })
      await Promise.race([world.run({ process: killed }), killed.died])
      if (killed.isAlive) throw new Error(`a run has no call ${call}`)
      world.clock.advance({ minutes: 15 })
      return { work: (_, process) => world.run({ process }) }
    },
  }
}

/** Lease, request, save, proof: a crash after each, and then another. */
export const KILLED_TWICE: readonly Scenario[] = [3, 4, 5, 6].map(afterKilled)

/** A run that has no time to save what it gets for long. */
export const HURRIED: Scenario = {
  title: 'a run that is stopped soon',
  mints: '/token',
  seconds: SHORT_RUN_SECONDS,
  async prepare(world) {
    await published(world, ROTATING)
    world.clock.advance({ minutes: 31 })
    return { work: (_, process) => world.run({ process, seconds: SHORT_RUN_SECONDS }) }
  },
}
