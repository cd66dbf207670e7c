import { ALL_BROKERS } from '../../brokers/index.ts'
import type { Config } from '../../config.ts'
import { givenHosts, hostOverrides } from '../../http/host-overrides.ts'

/**
 * The broker hosts that are replaced, by the configuration or, stronger, by the environment. Throws
 * ConfigurationError for a name no broker has and for an address that is neither https nor allowed.
 */
export function replacedHosts(
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const settings = Object.values(config.brokers).map((broker) => givenHosts(broker?.hosts ?? {}))
  return Object.assign({}, ...settings, hostOverrides(environment, ALL_BROKERS, config.allowHttpHosts))
}
