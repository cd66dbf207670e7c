import { BlockList, isIP } from 'node:net'
import { Agent, buildConnector, Dispatcher, EnvHttpProxyAgent, Pool } from 'undici'
import { ConfigurationError } from '../model/errors.ts'
import { isLoopback } from './allowed-origin.ts'
import { PROXY } from './network-fault.ts'
import type { ProxySettings } from './proxy-settings.ts'

const CONNECT_TIMEOUT_MS = 5_000

/** Link-local addresses, where clouds keep their metadata: no broker lives there, whatever a host name resolves to. */
const NEVER_CONNECTED = new BlockList()
NEVER_CONNECTED.addSubnet('169.254.0.0', 16, 'ipv4')
NEVER_CONNECTED.addSubnet('fe80::', 10, 'ipv6')
NEVER_CONNECTED.addAddress('fd00:ec2::254', 'ipv6')

/**
 * The way out to brokers: through the network's proxy where there is one, directly to this machine itself, and never
 * to a link-local address. What a name resolves to at the proxy is for the proxy to judge.
 *
 * Throws ConfigurationError where the environment names a proxy that is none.
 */
export class Egress extends Dispatcher {
  readonly #direct: Agent
  readonly #proxied: Dispatcher
  readonly #proxy: ProxySettings | undefined
  readonly #ways = new Map<string, Dispatcher>()

  /** @default proxy - that of the program's environment, as undici reads it */
  constructor(options: Agent.Options, proxy?: ProxySettings) {
    super()
    this.#proxy = proxy
    this.#direct = new Agent({ ...options, connect: directConnector() })
    this.#proxied = isNone(proxy) ? this.#direct : proxyAgent(options, proxy)
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    return this.#wayTo(String(options.origin)).dispatch(options, handler)
  }

  override close(): Promise<void>
  override close(callback: () => void): void
  override close(callback?: () => void): Promise<void> | undefined {
    const closed = this.#each((one) => one.close())
    if (!callback) return closed
    void closed.then(callback)
    return undefined
  }

  override destroy(): Promise<void> {
    return this.#each((one) => one.destroy())
  }

  async #each(end: (one: Dispatcher) => Promise<void>): Promise<void> {
    await Promise.all([...new Set([this.#direct, this.#proxied])].map(end))
  }

  #wayTo(origin: string): Dispatcher {
    let way = this.#ways.get(origin)
    if (!way) {
      way = this.#isDirect(new URL(origin)) ? this.#direct : this.#proxied
      this.#ways.set(origin, way)
    }
    return way
  }

  #isDirect({ protocol, hostname }: URL): boolean {
    // undici would take the proxy for plain http for https as well.
    if (this.#proxy?.httpsProxy === '' && protocol === 'https:') return true
    if (isLoopback(hostname)) return true
    const address = hostname.replace(/^\[(.+)\]$/, '$1')
    const version = isIP(address)
    // The agent that connects by itself refuses those.
    return version !== 0 && NEVER_CONNECTED.check(address, version === 6 ? 'ipv6' : 'ipv4')
  }
}

function isNone(proxy: ProxySettings | undefined): boolean {
  return proxy?.httpsProxy === '' && proxy.httpProxy === ''
}

function proxyAgent(options: Agent.Options, proxy: ProxySettings | undefined): EnvHttpProxyAgent {
  try {
    return new EnvHttpProxyAgent({
      ...options,
      ...proxy,
      connect: directConnector(),
      // Of the connections to the proxy and, through it, to the host.
      ...{ connectTimeout: CONNECT_TIMEOUT_MS },
      clientFactory: clientOfProxy,
    })
  } catch {
    // Its own error repeats the address, which may hold a password.
    throw new ConfigurationError('HTTPS_PROXY or HTTP_PROXY is no address of a proxy', {
      fix: 'write it as http://host:port, or unset it',
    })
  }
}

/** Node looks at a block list when it connects for plain http alone: TLS is begun on a connection that was looked at. */
function directConnector(): buildConnector.connector {
  const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, blockList: NEVER_CONNECTED })
  const beginTls = buildConnector({ timeout: CONNECT_TIMEOUT_MS })
  return (options, callback) => {
    if (options.protocol !== 'https:') return connect(options, callback)
    const { servername: _, ...plain } = { ...options, protocol: 'http:', port: options.port || '443' }
    return connect(plain, (...[error, httpSocket]) =>
      error === null ? beginTls({ ...options, httpSocket }, callback) : callback(error, null),
    )
  }
}

/** The connections to the proxy itself, whose faults are named as such: they say nothing about the broker. */
function clientOfProxy(origin: URL, { connect }: { connect?: buildConnector.connector }): Pool {
  return new Pool(origin, {
    connect: (options, callback) =>
      connect?.(options, (...[error, socket]) => {
        if (error === null) return callback(null, socket as never)
        const { code = 'UNKNOWN' } = error as NodeJS.ErrnoException
        return callback(Object.assign(new Error('the proxy was not reached'), { code: PROXY + code }), null)
      }),
  })
}
