import { BlockList } from 'node:net'
import { assertAllowedOrigin } from '../../http/allowed-origin.ts'
import { ConfigurationError } from '../../model/errors.ts'

/**
 * Addresses that hand out a machine's own credentials, or mean this machine in a hidden way. They are never
 * called.
 */
const FORBIDDEN = new BlockList()
FORBIDDEN.addSubnet('169.254.0.0', 16, 'ipv4') // link-local, with the metadata service of most clouds
FORBIDDEN.addSubnet('fe80::', 10, 'ipv6') // link-local
FORBIDDEN.addAddress('fd00:ec2::254', 'ipv6') // AWS metadata
FORBIDDEN.addAddress('100.100.100.200', 'ipv4') // Alibaba metadata
FORBIDDEN.addAddress('168.63.129.16', 'ipv4') // Azure's host
FORBIDDEN.addAddress('0.0.0.0', 'ipv4')
FORBIDDEN.addAddress('::', 'ipv6')
const FORBIDDEN_NAMES: readonly string[] = ['metadata', 'metadata.google.internal', 'metadata.azure.internal']

/**
 * What is wrong with an address that an operator stores, in any configuration; `undefined` where it is fine.
 */
export function baseUrlProblem(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    return 'it must be an http(s) address such as https://pos.example.com'
  }
  if (url.username !== '' || url.password !== '') return 'it must not hold a user name or password'
  if (url.search !== '' || url.hash !== '') return 'it must end with its path: no "?" and no "#"'
  if (isForbidden(url.hostname)) return 'link-local and metadata addresses are never spoken to'
  return undefined
}

/**
 * A stored address, checked again when it is used, without trailing slashes, so that a path can follow.
 * Throws ConfigurationError, which names `what` and never the address.
 */
export function checkedBaseUrl(value: string, allowHttpHosts: readonly string[], what: string): string {
  const problem = baseUrlProblem(value)
  if (problem !== undefined) {
    throw new ConfigurationError(`${what} is malformed: ${problem}`, { fix: 'store it again' })
  }
  assertAllowedOrigin(value, allowHttpHosts, what)
  return new URL(value).href.replace(/\/+$/, '')
}

/** `hostname` is as URL writes it: numbers in any notation are dotted already, IPv6 is in brackets. */
function isForbidden(hostname: string): boolean {
  if (hostname.startsWith('[')) return FORBIDDEN.check(hostname.slice(1, -1), 'ipv6')
  const name = hostname.replace(/\.$/, '')
  return FORBIDDEN_NAMES.includes(name) || FORBIDDEN.check(name, 'ipv4')
}

/**
 * What is wrong with a value that must be a whole URL, without repeating it; `undefined` where it is fine.
 */
export function urlProblem(value: string): string | undefined {
  return URL.canParse(value) && /^https?:/i.test(value) ? undefined : 'it must be a whole URL'
}
