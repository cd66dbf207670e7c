import { isIP } from 'node:net'
import { isLoopback } from '../../http/allowed-origin.ts'
import { ConfigurationError } from '../../model/errors.ts'
import { Secret } from '../../model/secrets/secret.ts'

const DEFAULT_PORT = 6379

/** Where a Redis is, without what opens it. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly username: string | undefined
  readonly database: number
  /** `host:port`, for messages. */
  readonly shown: string
}

/**
 * Throws ConfigurationError unless a Redis is spoken to over TLS, or is on this machine or on the list of hosts that may
 * be spoken to in the clear: each write to it is a token.
 */
export function assertAllowedRedis(url: string, allowHttpHosts: readonly string[], what: string): void {
  redisAddress(url, what)
  const { protocol, hostname } = new URL(url)
  if (protocol === 'rediss:' || isPlainAllowed(hostname, allowHttpHosts)) return
  throw new ConfigurationError(`${what} must be rediss: the tokens would travel in the clear`, {
    fix: 'use rediss://; redis:// only to loopback or to hosts listed in allowHttpHosts',
  })
}

function isPlainAllowed(hostname: string, allowHttpHosts: readonly string[]): boolean {
  return isLoopback(hostname) || allowHttpHosts.includes(hostname)
}

/**
 * The parts of `rediss://user@host:port/database`. Throws ConfigurationError, which does not repeat the address, for
 * anything else.
 */
export function redisAddress(url: string, what = 'the address of the Redis mirror'): RedisAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const database = /^\/?(\d{0,4})$/.exec(parsed?.pathname ?? '?')?.[1]
  const username = decoded(parsed?.username ?? '')
  if (
    !parsed ||
    !/^rediss?:$/.test(parsed.protocol) ||
    parsed.hostname === '' ||
    parsed.search !== '' ||
    parsed.hash !== '' ||
    database === undefined ||
    username === undefined
  ) {
    throw new ConfigurationError(`${what} is no address of a Redis`, {
      fix: 'write rediss://host:port, where needed with a user name before the host and a database number after it',
    })
  }
  const port = parsed.port === '' ? DEFAULT_PORT : Number(parsed.port)
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    tls: parsed.protocol === 'rediss:',
    username: username === '' ? undefined : username,
    database: Number(database),
    shown: `${parsed.hostname}:${port}`,
  }
}

/** An address that may carry a password, taken apart at once. Throws ConfigurationError, which repeats neither. */
export function splitPassword(
  url: string,
  what: string,
): { readonly url: string; readonly password?: Secret } {
  redisAddress(url, what)
  const parsed = new URL(url)
  const password = decoded(parsed.password)
  parsed.password = ''
  if (password === undefined) {
    throw new ConfigurationError(`the password in ${what} is not percent-encoded`, {
      fix: 'encode what is neither a letter nor a digit in it, or store it: tokenkeeper mirrors password',
    })
  }
  return { url: parsed.href, ...(password !== '' && { password: new Secret(password) }) }
}

/** The name a server must prove to have; an address in digits has none to ask for. */
export function serverName({ host }: RedisAddress): string {
  return isIP(host) === 0 ? host : ''
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
