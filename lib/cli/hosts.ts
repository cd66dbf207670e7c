import { BROKER_IDS, BROKERS } from '../brokers/index.ts'
import type { Config } from '../config.ts'
import { assertAllowedOrigin } from '../http/allowed-origin.ts'
import { ConfigurationError } from '../tokens/errors.ts'

const PREFIX = 'TOKENKEEPER_HOST_'
/** The token service's base URL has a name of its own, which older installations already set. */
const TOKEN_SERVICE_URL = 'TOKEN_REFRESH_SERVICE_URL'
const TOKEN_SERVICE_HOST = 'TOKEN_SERVICE'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The broker hosts that are replaced, by the configuration or, stronger, by the environment. Throws
 * ConfigurationError for a name no broker has and for an address that is neither https nor allowed.
 */
export function hostOverrides(config: Config, env: Environment): Readonly<Record<string, string>> {
  const hosts: Record<string, string> = {}
  for (const settings of Object.values(config.brokers)) {
    for (const [name, origin] of Object.entries(settings?.hosts ?? {}))
      if (origin) hosts[name] = trimmed(origin)
  }
  const known = new Set(BROKER_IDS.flatMap((id) => Object.keys(BROKERS[id].hosts)))
  for (const [variable, value] of Object.entries(env)) {
    const name = hostNameOf(variable)
    if (name === undefined || value === undefined || value === '') continue
    if (!known.has(name)) {
      throw new ConfigurationError(`${variable} names no broker host`, {
        fix: `use one of ${[...known].map((host) => PREFIX + host).join(', ')}`,
      })
    }
    assertAllowedOrigin(value, config.allowHttpHosts, variable)
    hosts[name] = trimmed(value)
  }
  return hosts
}

function hostNameOf(variable: string): string | undefined {
  if (variable === TOKEN_SERVICE_URL) return TOKEN_SERVICE_HOST
  return variable.startsWith(PREFIX) ? variable.slice(PREFIX.length) : undefined
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, '')
}
