import type { Temporal } from 'temporal-polyfill'
import { parseAccountId } from '../../model/account-id.ts'
import { SubscriberError } from '../../model/errors.ts'
import { fingerprint } from '../../model/secrets/fingerprint.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Publication, Subscriber } from '../../ports/subscriber.ts'
import type { TokenVault } from '../../ports/token-vault.ts'
import { redisAddress } from './address.ts'
import { type RedisClient, type RedisPassword, withRedis } from './connection.ts'
import { infoOf, isNewer, parseInfo } from './info.ts'
import { type KeyNaming, type KeyPair, keysOf, secondsToLive } from './keys.ts'

/** Where the vault keeps the password: no broker is called so. */
const MIRRORS = parseAccountId('mirrors')
const PASSWORD = 'redis_password'
/** A password that was changed is taken up within this time. */
const PASSWORD_KEPT_SECONDS = 5 * 60
/** Another process writes the same account at the same moment only when something is amiss. */
const MOST_TRIES = 3
/** A run over many accounts does not wait for a dead Redis at each of them. */
const QUIET_SECONDS = 60

export interface RedisMirrorOptions extends KeyNaming {
  /** `rediss://user@host:port/database`; without a password. */
  readonly url: string
  readonly password: RedisPassword
  readonly clock: Clock
}

/**
 * The Redis keys of lib/brokers/upstox/README.md, Mirror: written in one MULTI/EXEC, alive no longer than the token,
 * never replaced by an older one. Each method makes one connection of its own, of three seconds at most. Throws
 * ConfigurationError for an address that is none.
 */
export function redisMirror({ url, password, clock, ...naming }: RedisMirrorOptions): Subscriber {
  const address = redisAddress(url)
  let quietUntil: Temporal.Instant | undefined
  const connected = async (work: (client: RedisClient) => Promise<unknown>): Promise<void> => {
    try {
      await withRedis(address, password, work)
      quietUntil = undefined
    } catch (error) {
      quietUntil = clock.now().add({ seconds: QUIET_SECONDS })
      throw error
    }
  }
  const isQuiet = (): boolean => {
    const seconds = quietUntil ? clock.now().until(quietUntil).total('seconds') : 0
    // A longer quiet is one of a clock that was ahead and was set right since.
    return seconds > 0 && seconds <= QUIET_SECONDS
  }

  return {
    name: 'Redis mirror',
    async onPublished(publication) {
      const pairs = keysOf(publication.account, naming)
      if (pairs.length === 0) return
      await connected((client) => write(client, pairs, publication, clock))
    },
    async onStillCurrent(publication) {
      const pairs = keysOf(publication.account, naming)
      if (pairs.length === 0 || isQuiet()) return
      await connected(async (client) => {
        if (!(await isInPlace(client, pairs, publication, clock))) {
          await write(client, pairs, publication, clock)
        }
      })
    },
    async onWithdrawn(account) {
      const keys = keysOf(account, naming).flatMap(({ token, info }) => [token, info])
      if (keys.length > 0) await connected((client) => client.del(keys))
    },
  }
}

/** The mirror whose password lies in the vault: {@link storedRedisPassword}. Throws ConfigurationError. */
export function storedRedisMirror({
  vault,
  ...options
}: Omit<RedisMirrorOptions, 'password'> & { readonly vault: Pick<TokenVault, 'read'> }): Subscriber {
  return redisMirror({ ...options, password: storedRedisPassword(vault, options.clock) })
}

/** The password `tokenkeeper mirrors password` stored, read again every five minutes. Throws TokenVaultError. */
export function storedRedisPassword(vault: Pick<TokenVault, 'read'>, clock: Clock): RedisPassword {
  let last: { readonly password: Secret | undefined; readonly at: Temporal.Instant } | undefined
  return async () => {
    const age = last ? last.at.until(clock.now()).total('seconds') : -1
    // A negative age is that of a clock that was ahead and was set right since.
    if (!last || age < 0 || age >= PASSWORD_KEPT_SECONDS) {
      const stored = await vault.read(MIRRORS, [PASSWORD])
      last = { password: stored.get(PASSWORD)?.value, at: clock.now() }
    }
    return last.password
  }
}

/** Stores the password, or takes it away. Throws TokenVaultError. */
export async function storeRedisPassword(vault: TokenVault, password: Secret | undefined): Promise<void> {
  if (password) await vault.write(MIRRORS, PASSWORD, password)
  else await vault.remove(MIRRORS, PASSWORD)
}

/** Token and metadata in one transaction, unless what is there is newer. */
async function write(
  client: RedisClient,
  pairs: readonly KeyPair[],
  publication: Publication,
  clock: Clock,
): Promise<void> {
  const [first] = pairs
  if (!first) return
  const { WatchError } = await import('./library.ts')
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    await client.watch(first.info)
    if (isNewer(parseInfo(await client.get(first.info)), publication)) return
    const now = clock.now()
    const seconds = secondsToLive(publication.expiresAt, now)
    const transaction = client.multi()
    for (const { token, info } of pairs) {
      if (seconds < 1) transaction.del([token, info])
      else {
        const expiration = { type: 'EX', value: seconds } as const
        transaction.set(token, publication.accessToken.reveal(), { expiration })
        transaction.set(info, infoOf(publication, now), { expiration })
      }
    }
    try {
      await transaction.exec()
      return
    } catch (error) {
      if (!(error instanceof WatchError)) throw error
    }
  }
  throw new SubscriberError('others keep writing the same keys of the Redis mirror', {
    fix: 'look for a second installation that mirrors the same account, and end one',
  })
}

/**
 * Whether every key is there, of this generation, and will last. A token that outlives the 24 hours of a key has its
 * keys renewed when half of them are over.
 */
async function isInPlace(
  client: RedisClient,
  pairs: readonly KeyPair[],
  { account, generation, expiresAt, accessToken }: Publication,
  clock: Clock,
): Promise<boolean> {
  const keys = pairs.flatMap(({ token, info }) => [token, info])
  const [infos, lives] = await Promise.all([
    Promise.all(pairs.map(({ info }) => client.get(info))),
    Promise.all(keys.map((key) => client.pTTL(key))),
  ])
  const wantedMs = secondsToLive(expiresAt, clock.now()) * 1_000
  const mark = fingerprint(accessToken)
  return (
    lives.every((ms) => ms * 2 > wantedMs) &&
    infos
      .map(parseInfo)
      .every(
        (info) => info?.account === account && info.generation === generation && info.fingerprint === mark,
      )
  )
}
