import { Secret } from '../../../lib/model/secret.ts'
import { adoptAccessToken } from '../../../lib/tokens/service/adopt.ts'
import { ASKED, type Before, WITH_TOKEN } from './before.ts'
import { STRANGER, USER } from './one-session-simulator.ts'
import type { Scenario } from './scenario.ts'

const SECONDS = 60
/** Kept for the record. */
const RECORDING_SECONDS = 5

function handedIn(title: string, user: string, before: Before, isVariant: boolean): Scenario {
  return {
    title: `${title} handed in ${before.title}`,
    mints: '/me',
    seconds: SECONDS,
    isVariant,
    async prepare(world) {
      await before.prepare(world)
      const { clock, broker, account, simulator } = world
      const leaseUntil = clock.now().add({ seconds: SECONDS })
      const adoption = {
        broker,
        account,
        accessToken: new Secret(simulator.tokenFromElsewhere(user)),
        owner: 'somebody',
        deadline: leaseUntil.subtract({ seconds: RECORDING_SECONDS }),
        leaseUntil,
      }
      return { work: (ports) => adoptAccessToken(adoption, ports) }
    },
  }
}

export const ADOPTIONS: readonly Scenario[] = [
  handedIn('a token', USER, WITH_TOKEN, false),
  handedIn('a token', USER, ASKED, true),
  handedIn("a stranger's token", STRANGER, WITH_TOKEN, true),
  handedIn("a stranger's token", STRANGER, ASKED, true),
]
