import { Annotations } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { isLoopback } from '../../lib/http/allowed-origin.ts'
import type { RedisMirrorSettings } from '../../lib/mirrors/config.ts'

/**
 * The Redis mirror as far as functions can reach it: they are in no VPC. One on loopback is that of the laptop which
 * shares this cdk.json; the stack goes without, and synth says so.
 */
export function reachableRedis(
  scope: Construct,
  redis: RedisMirrorSettings | undefined,
): RedisMirrorSettings | undefined {
  if (!redis || !isLoopback(new URL(redis.url).hostname)) return redis
  Annotations.of(scope).addWarningV2(
    'tokenkeeper:redis-on-loopback',
    'mirrors.redis.url is on loopback, which no function reaches: the stack mirrors no token. Name a Redis that answers over TLS on the internet, or leave it to the local backend',
  )
  return undefined
}
