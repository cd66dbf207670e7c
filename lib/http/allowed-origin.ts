import { ConfigurationError } from '../model/errors.ts'

/** Throws ConfigurationError unless an address is https, loopback, or on the list of plain-http hosts. */
export function assertAllowedOrigin(url: string, allowHttpHosts: readonly string[], what: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol === 'https:') return
  if (
    parsed?.protocol === 'http:' &&
    (isLoopback(parsed.hostname) || allowHttpHosts.includes(parsed.hostname))
  )
    return
  throw new ConfigurationError(`${what} must be https`, {
    fix: 'use https; plain http only to loopback or to hosts listed in allowHttpHosts',
  })
}

export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}
