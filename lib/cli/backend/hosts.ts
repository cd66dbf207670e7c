import { ALL_BROKERS } from '../../brokers/index.ts'
import type { Config } from '../../config.ts'
import { hostOverrides, withoutTrailingSlash } from '../../http/host-overrides.ts'

/**
 * The broker hosts that are replaced, by the configuration or, stronger, by the environment. Throws
 * ConfigurationError for a name no broker has and for an address that is neither https nor allowed.
 */
export function replacedHosts(
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const configured = Object.values(config.brokers).flatMap((settings) =>
    Object.entries<string | undefined>(settings?.hosts ?? {}).flatMap(([name, origin]) =>
      origin ? [[name, withoutTrailingSlash(origin)] as const] : [],
    ),
  )
  return {
    ...Object.fromEntries(configured),
    ...hostOverrides(environment, ALL_BROKERS, config.allowHttpHosts),
  }
}
