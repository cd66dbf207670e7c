import { checkedBaseUrl } from '../../brokers/shared/base-url.ts'
import { assertAllowedOrigin } from '../../http/allowed-origin.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import { CallError } from '../errors.ts'

const MOST_RESOLVED = 200

export interface AllowedUrlsOptions {
  readonly broker: Broker
  /** Origins that replace the broker's own, by host name. */
  readonly hosts?: Readonly<Record<string, string>> | undefined
  /** The address of a self-hosted backend, with or without a path. */
  readonly baseUrl?: string | undefined
  /** Hosts that may be called over plain http; loopback is always allowed. */
  readonly allowHttpHosts?: readonly string[] | undefined
}

/**
 * The addresses to which an access token may be sent: the API hosts of its broker, and the owner's base URL.
 * The constructor throws ConfigurationError for a base URL or a replaced host that is neither https nor
 * allowed.
 */
export class AllowedUrls {
  readonly #origins = new Set<string>()
  readonly #base: string | undefined
  readonly #brokerName: string
  /**
   * Addresses that were resolved before: programs call few of them often, and parsing one takes longer than
   * finding it here.
   */
  readonly #resolved = new Map<string, URL>()

  constructor({ broker, hosts = {}, baseUrl, allowHttpHosts = [] }: AllowedUrlsOptions) {
    const { api = { hosts: Object.keys(broker.hosts) } } = broker
    const own = api.hosts.flatMap((name) => {
      const origin = hosts[name] ?? broker.hosts[name]
      return origin === undefined ? [] : [origin]
    })
    for (const origin of own) assertAllowedOrigin(origin, allowHttpHosts, `a host of ${broker.displayName}`)
    const base = baseUrl === undefined ? undefined : checkedBaseUrl(baseUrl, allowHttpHosts, 'baseUrl')
    for (const address of [...own, ...(api.origins ?? []), ...(base ? [base] : [])]) {
      this.#origins.add(new URL(address).origin)
    }
    this.#base = base ?? own[0]
    this.#brokerName = broker.displayName
  }

  /**
   * The whole address of a call. One that begins with a slash follows the base URL, or the broker's first API
   * host. Throws CallError.
   */
  resolve(address: string | URL): URL {
    const text = address instanceof URL ? address.href : address
    const known = this.#resolved.get(text)
    if (known) return known
    const url = this.#checked(text)
    if (this.#resolved.size >= MOST_RESOLVED) this.#resolved.clear()
    this.#resolved.set(text, url)
    return url
  }

  #checked(text: string): URL {
    const url = typeof text === 'string' ? URL.parse(isPath(text) ? (this.#base ?? '') + text : text) : null
    if (!url) {
      throw new CallError('the address of this call is no URL', {
        code: 'invalid_call',
        actor: 'developer',
        sent: false,
        fix: this.#base
          ? 'give a whole URL, or a path that begins with a slash'
          : 'give a whole URL, or a baseUrl',
      })
    }
    if (this.allows(url)) return url
    throw new CallError(`${url.origin} is no address of ${this.#brokerName}: its token is not sent there`, {
      code: 'host_not_allowed',
      actor: 'developer',
      sent: false,
      fix: `call ${[...this.#origins].join(' or ') || 'the address given as baseUrl'}, or another program for other hosts`,
    })
  }

  allows({ origin, username, password }: URL): boolean {
    return this.#origins.has(origin) && username === '' && password === ''
  }
}

/** A path begins with one slash; two slashes would name a host, as in a page. */
function isPath(text: string): boolean {
  return text.startsWith('/') && !text.startsWith('//')
}
