import { SubscriberError } from '../../model/errors.ts'
import type { RedisAddress } from './address.ts'

/** What the library and Node put on their errors. */
interface RedisError extends Error {
  readonly code?: string
  readonly replies?: readonly unknown[]
}

interface Fault {
  readonly says: string
  readonly fix: string
}

/** The commands a mirror needs, for whoever writes its ACL. */
const COMMANDS = 'PING, GET, PTTL, SET, DEL, WATCH, MULTI and EXEC'

const PASSWORD = 'store the right password: tokenkeeper mirrors password'
const CERTIFICATE =
  'have its certificate name this host and come from a known authority, or name your own in NODE_EXTRA_CA_CERTS'
const SILENT: Fault = {
  says: 'did not answer in time',
  fix: 'check host and port, firewalls on the way, and whether it wants TLS (rediss://) or not (redis://)',
}
const ENDED: Fault = {
  says: 'ended the connection, or is no Redis',
  fix: 'check host and port, and whether it wants TLS (rediss://) or not (redis://)',
}

const NO_PASSWORD_WANTED: Fault = {
  says: 'wants no password',
  fix: 'take the stored one away: tokenkeeper mirrors password --remove',
}

/** By the first word of Redis's own error replies, or by Node's error code. */
const FAULTS: Readonly<Record<string, Fault>> = {
  WRONGPASS: { says: 'refuses the user name or the password', fix: PASSWORD },
  NOAUTH: { says: 'wants a password', fix: PASSWORD },
  NOPERM: { says: 'does not allow its user what a mirror does', fix: `allow that user ${COMMANDS}` },
  READONLY: { says: 'is a replica that takes no writes', fix: 'name the primary in mirrors.redis.url' },
  MOVED: { says: 'is part of a cluster', fix: 'use a Redis without cluster mode' },
  CROSSSLOT: { says: 'is part of a cluster', fix: 'use a Redis without cluster mode' },
  OOM: { says: 'is out of memory', fix: 'give it more memory, or another eviction policy' },
  ECONNREFUSED: { says: 'refuses connections', fix: 'start it, or correct mirrors.redis.url' },
  ECONNRESET: ENDED,
  EPIPE: ENDED,
  EPROTO: ENDED,
  ENOTFOUND: { says: 'has no address in DNS', fix: 'correct the host in mirrors.redis.url' },
  EAI_AGAIN: { says: 'could not be looked up in DNS', fix: 'check the network and its DNS' },
  EHOSTUNREACH: SILENT,
  ENETUNREACH: SILENT,
  ETIMEDOUT: SILENT,
}

/** It took too long. */
export class TimeLimitError extends Error {}

/**
 * What a mirror's owner may read of a failure. Of the library's own words nothing is taken, and it is not kept as the
 * cause either: a Redis that does not know a command repeats its arguments, which are tokens.
 */
export function redisFault(error: unknown, { shown }: Pick<RedisAddress, 'shown'>): SubscriberError {
  if (error instanceof SubscriberError) return error
  const { says, fix } = faultOf(error)
  return new SubscriberError(`Redis at ${shown} ${says}`, { fix })
}

function faultOf(error: unknown): Fault {
  if (error instanceof TimeLimitError) return SILENT
  const { code, message, replies } = error instanceof Error ? (error as RedisError) : {}
  // A transaction of which one command failed.
  const failed = replies?.find((reply) => reply instanceof Error)
  if (failed) return faultOf(failed)
  if (code !== undefined) return FAULTS[code] ?? connectionFault(code)
  const [, word = ''] = /^([A-Z]{2,20})(?: |$)/.exec(message ?? '') ?? []
  if (word === 'ERR' && /\bAUTH\b/.test(message ?? '')) return NO_PASSWORD_WANTED
  if (word === '') return ENDED
  return FAULTS[word] ?? { says: `answers with the error ${word}`, fix: 'look into the log of that Redis' }
}

function connectionFault(code: string): Fault {
  if (code.startsWith('ERR_SSL')) return ENDED
  return /CERT|SIGNATURE|ISSUER|ALTNAME/.test(code)
    ? { says: `has a certificate that does not hold (${code})`, fix: CERTIFICATE }
    : { says: `failed (${code})`, fix: SILENT.fix }
}
