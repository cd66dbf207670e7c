import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../lib/model/account-id.ts'
import type { AccountResult } from '../../lib/model/outcome.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import { adoptAccessToken } from '../../lib/tokens/service/adopt.ts'
import type { World } from './world.ts'

let _handedIn = 0

/** Hands an access token in, as `tokenkeeper put` does, with a minute for it. */
export function handIn(
  world: World,
  given: {
    readonly broker: Broker
    readonly account: AccountId
    readonly accessToken: string
    readonly expiresAt?: Temporal.Instant | undefined
  },
): Promise<AccountResult> {
  _handedIn += 1
  return adoptAccessToken(
    {
      ...given,
      accessToken: new Secret(given.accessToken),
    },
    world.ports,
  )
}
