import type { AccountId } from '../../model/account-id.ts'
import type { MirroredKey } from '../mirrored-key.ts'
import { redisAddress } from './address.ts'
import { withRedis } from './connection.ts'
import { parseInfo } from './info.ts'
import { keysOf } from './keys.ts'
import type { RedisMirrorOptions } from './mirror.ts'

/** What PTTL says of a key that is not there. */
const NOT_THERE = -2

/** How a mirror stands, without a token or anything that opens it. */
export interface RedisInspection {
  /** `host:port`. */
  readonly host: string
  /** Whole milliseconds between a PING and its answer. */
  readonly latencyMs: number
  readonly keys: readonly MirroredKey[]
}

/** Connects, logs in and looks for the keys of these accounts; changes nothing. Throws SubscriberError. */
export async function inspectRedis(
  { url, password, clock, ...naming }: RedisMirrorOptions,
  accounts: readonly AccountId[],
): Promise<RedisInspection> {
  const address = redisAddress(url)
  return withRedis(address, password, async (client) => {
    const asked = clock.now()
    await client.ping()
    const latencyMs = Math.floor(asked.until(clock.now()).total('milliseconds'))
    const keys = accounts.flatMap((account) =>
      keysOf(account, naming).map(async ({ token, info }) => {
        const [stored, ...lives] = await Promise.all([
          client.get(info),
          client.pTTL(token),
          client.pTTL(info),
        ])
        const generation = parseInfo(stored)?.generation
        return [token, info].map((key, index) => {
          const ms = lives[index] ?? NOT_THERE
          return {
            account,
            key,
            there: ms !== NOT_THERE,
            ...(ms >= 0 && { secondsLeft: Math.floor(ms / 1_000) }),
            ...(generation !== undefined && { generation }),
          }
        })
      }),
    )
    return { host: address.shown, latencyMs, keys: (await Promise.all(keys)).flat() }
  })
}
