import { ConfigurationError } from '../model/errors.ts'
import type { Broker } from '../ports/broker/broker.ts'
import { assertAllowedOrigin } from './allowed-origin.ts'

const PREFIX = 'TOKENKEEPER_HOST_'

type HostsOfBroker = Pick<Broker, 'hosts' | 'guide'>

/**
 * The broker hosts that an environment replaces: address by host name. Throws ConfigurationError that names the
 * variable, never its value, for a host that none of `brokers` has and for an address that is not allowed.
 */
export function hostOverrides(
  environment: Readonly<Record<string, string | undefined>>,
  brokers: readonly HostsOfBroker[],
  allowHttpHosts: readonly string[],
): Readonly<Record<string, string>> {
  const known = brokers.flatMap((broker) => Object.keys(broker.hosts))
  const hosts: Record<string, string> = {}
  for (const [variable, url] of Object.entries(environment)) {
    const name = hostNameOf(variable, brokers)
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

/** Hosts as settings name them, by name: those that are set. */
export function givenHosts(
  settings: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, url]) => (url ? [[name, withoutTrailingSlash(url)]] : [])),
  )
}

function withoutTrailingSlash(url: string): string {
  return url.replace(/\/+$/, '')
}

/** The variable that replaces a host: the one of the broker's guide, which older installations already set, or ours. */
export function hostVariable(name: string, brokers: readonly HostsOfBroker[]): string {
  return guideVariables(brokers).find(([host]) => host === name)?.[1] ?? PREFIX + name
}

function hostNameOf(variable: string, brokers: readonly HostsOfBroker[]): string | undefined {
  const [host] = guideVariables(brokers).find(([, its]) => its === variable) ?? []
  return host ?? (variable.startsWith(PREFIX) ? variable.slice(PREFIX.length) : undefined)
}

function guideVariables(brokers: readonly HostsOfBroker[]): readonly (readonly [string, string])[] {
  return brokers.flatMap(({ guide }) => Object.entries(guide?.hostVariables ?? {}))
}
