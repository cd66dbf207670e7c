import { Secret } from '../../../lib/model/secrets/secret.ts'
import { adoptAccessToken } from '../../../lib/tokens/service/adopt.ts'
import { ADOPTION } from '../../../lib/tokens/transaction/times.ts'
import { ASKED, type Before, WITH_TOKEN } from './before.ts'
import { STRANGER, USER } from './one-session-simulator.ts'
import type { Scenario } from './scenario.ts'

const SECONDS = ADOPTION.leaseSeconds

function handedIn(title: string, user: string, before: Before, isVariant: boolean): Scenario {
  return {
    title: `${title} handed in ${before.title}`,
    mints: '/me',
    seconds: SECONDS,
    isVariant,
    async prepare(world) {
      await before.prepare(world)
      const { broker, account, simulator } = world
      const accessToken = new Secret(simulator.tokenFromElsewhere(user))
      const adoption = { broker, account, accessToken }
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
