import { isLoopback } from '../http/allowed-origin.ts'
import { ConfigurationError } from '../tokens/errors.ts'

/**
 * Throws ConfigurationError unless a Redis is spoken to over TLS, or is on this machine or on the list of hosts that may
 * be spoken to in the clear: each write to it is a token.
 */
export function assertAllowedRedis(url: string, allowHttpHosts: readonly string[], what: string): void {
  const { protocol, hostname } = new URL(url)
  if (protocol === 'rediss:' || isLoopback(hostname) || allowHttpHosts.includes(hostname)) return
  throw new ConfigurationError(`${what} must be rediss: the tokens would travel in the clear`, {
    fix: 'use rediss://; redis:// only to loopback or to hosts listed in allowHttpHosts',
  })
}
