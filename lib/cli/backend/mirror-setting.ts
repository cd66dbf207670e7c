import { ALL_BROKERS } from '../../brokers/index.ts'
import { fileMirror } from '../../mirrors/file-mirror.ts'
import { assertAllowedRedis, splitPassword } from '../../mirrors/redis/address.ts'
import { type RedisMirrorOptions, redisMirror, storedRedisPassword } from '../../mirrors/redis/mirror.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Subscriber } from '../../ports/subscriber.ts'
import type { TokenVault } from '../../ports/token-vault.ts'
import { listedAccounts } from './listed-accounts.ts'
import type { Setting } from './setting.ts'

const VARIABLE = 'TOKENKEEPER_REDIS_URL'

type MirrorSetting = Pick<Setting, 'backend' | 'config' | 'env'>

/** What the local backend tells of each published token. Throws ConfigurationError. */
export function localMirrors(
  setting: MirrorSetting,
  vault: Pick<TokenVault, 'read'>,
  clock: Clock,
): readonly Subscriber[] {
  const redis = redisOf(setting, vault, clock)
  return [...(redis ? [redisMirror(redis)] : []), ...setting.config.mirrors.files.map(fileMirror)]
}

/**
 * The Redis mirror as configured. On the local backend `TOKENKEEPER_REDIS_URL` is stronger, which may hold the
 * password, and the first account a broker's own variable lists is its default account where the configuration names
 * none.
 * Throws ConfigurationError.
 */
export function redisOf(
  { backend, config, env }: MirrorSetting,
  vault: Pick<TokenVault, 'read'>,
  clock: Clock,
): RedisMirrorOptions | undefined {
  const { redis } = config.mirrors
  const given = backend === 'local' ? env[VARIABLE] : undefined
  const url = given || redis?.url
  if (url === undefined) return undefined
  assertAllowedRedis(url, config.allowHttpHosts, given ? VARIABLE : 'mirrors.redis.url')
  const address = splitPassword(url, VARIABLE)
  const stored = storedRedisPassword(vault, clock)
  return {
    url: address.url,
    password: async () => address.password ?? (await stored()),
    defaultAccounts: [
      ...(redis?.defaultAccounts ?? []),
      ...(backend === 'local'
        ? ALL_BROKERS.flatMap((broker) => listedAccounts(broker, env).slice(0, 1))
        : []),
    ],
    brokers: ALL_BROKERS,
    clock,
  }
}
