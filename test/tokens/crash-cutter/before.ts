import { TokenkeeperError } from '../../../lib/model/errors.ts'
import { RequestRefusedError } from '../../../lib/tokens/rules/outcome/request-refused.ts'
import type { CutWorld } from './cut-world.ts'
import { published, ROTATING } from './grant-scenarios.ts'
import type { Meanwhile } from './scenario.ts'

/** In what state an account is when a person comes. */
export interface Before {
  readonly title: string
  prepare(world: CutWorld): Promise<void>
}

export const WITH_TOKEN: Before = {
  title: 'while the old token lives',
  async prepare(world) {
    await published(world, ROTATING)
    world.clock.advance({ minutes: 12 })
  },
}

/** The next morning: the token has died overnight, and so has the refresh token. */
export const ASKED: Before = {
  title: 'because somebody was asked',
  async prepare(world) {
    await WITH_TOKEN.prepare(world)
    world.simulator.revokeRefreshTokens()
    world.clock.advance({ hours: 24 })
    await world.run()
    if (!world.ledger.isOpen) throw new Error('nobody was asked')
    world.clock.advance({ minutes: 12 })
  },
}

/** What is refused in a foreseen way is shown to whoever asked, and changes nothing here. */
export function tolerant(work: () => Promise<unknown>): Meanwhile {
  return async () => {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof TokenkeeperError || error instanceof RequestRefusedError)) throw error
    }
  }
}
