import type { BrokerSettings } from '../../lib/brokers/settings.ts'
import { assertAllowedOrigin } from '../../lib/http/allowed-origin.ts'
import { givenHosts, hostOverrides } from '../../lib/http/host-overrides.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'

/** A broker and its owner's settings. */
export interface GivenBroker {
  readonly broker: Broker
  readonly settings: BrokerSettings
}

/**
 * The overrides of these brokers' hosts: from the owner's settings, and from variables of single hosts, which
 * count more. Throws ConfigurationError, which names the place and never the address.
 */
export function functionHosts(
  brokers: readonly GivenBroker[],
  variables: Readonly<Record<string, string | undefined>>,
  allowHttpHosts: readonly string[],
): Readonly<Record<string, string>> {
  const hosts: Record<string, string> = {}
  for (const { broker, settings } of brokers) {
    for (const [name, url] of Object.entries(givenHosts(settings.hosts))) {
      assertAllowedOrigin(url, allowHttpHosts, `${broker.id}.hosts.${name} of TOKENKEEPER_BROKERS`)
      hosts[name] = url
    }
  }
  const known = brokers.map(({ broker }) => broker)
  return { ...hosts, ...hostOverrides(variables, known, allowHttpHosts) }
}
