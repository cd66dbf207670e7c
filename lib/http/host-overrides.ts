import { ConfigurationError } from '../model/errors.ts'
import { assertAllowedOrigin } from './allowed-origin.ts'

const PREFIX = 'TOKENKEEPER_HOST_'
/** The token service's base URL has a name of its own, which older installations already set. */
const TOKEN_SERVICE_URL = 'TOKEN_REFRESH_SERVICE_URL'
const TOKEN_SERVICE_HOST = 'TOKEN_SERVICE'

/**
 * The broker hosts that an environment replaces: address by host name. Throws ConfigurationError that names the
 * variable, never its value, for a host that is not among `known` and for an address that is not allowed.
 */
export function hostOverrides(
  environment: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
  allowHttpHosts: readonly string[],
): Readonly<Record<string, string>> {
  const hosts: Record<string, string> = {}
  for (const [variable, url] of Object.entries(environment)) {
    const name = hostNameOf(variable)
    if (name === undefined || url === undefined || url === '') continue
    if (!known.includes(name)) {
      throw new ConfigurationError(`${variable} names no broker host there is`, {
        fix: known.length > 0 ? `use ${known.map((host) => PREFIX + host).join(', ')}` : 'remove it',
      })
    }
    assertAllowedOrigin(url, allowHttpHosts, variable)
    hosts[name] = withoutTrailingSlash(url)
  }
  return hosts
}

export function withoutTrailingSlash(url: string): string {
  return url.replace(/\/+$/, '')
}

function hostNameOf(variable: string): string | undefined {
  if (variable === TOKEN_SERVICE_URL) return TOKEN_SERVICE_HOST
  return variable.startsWith(PREFIX) ? variable.slice(PREFIX.length) : undefined
}
