import type { Broker } from '../../ports/broker.ts'

/** What a program must know of a broker's API beside the header, which is in the adapter. */
export interface BrokerApi {
  /** Names of {@link Broker.hosts} that take the access token; the first one is what a bare path is added to. */
  readonly hosts: readonly string[]
  /** Further origins of the broker that take it. */
  readonly origins?: readonly string[]
  /** Sent with every call unless the caller says otherwise. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Not every host of a broker takes its token: login hosts and token services never see it. A broker that is not
 * listed takes it at every host of its adapter.
 */
const BROKER_APIS: Readonly<Record<string, BrokerApi>> = {
  fyers: { hosts: ['FYERS_API'] },
  upstox: {
    hosts: ['UPSTOX_API'],
    // Orders, and a name of the same API that its OpenAPI file gives (lib/brokers/upstox/README.md, Endpoints).
    origins: ['https://api-hft.upstox.com', 'https://api-v2.upstox.com'],
  },
  iifl: { hosts: ['IIFL_API'] },
  'iifl-xts': { hosts: ['IIFL_XTS_API'] },
  zerodha: { hosts: ['ZERODHA_API'], headers: { 'x-kite-version': '3' } },
  // Its address is the owner's: baseUrl.
  'pos-connector': { hosts: [] },
}

export function apiOf({ id, hosts }: Pick<Broker, 'id' | 'hosts'>): BrokerApi {
  return BROKER_APIS[id] ?? { hosts: Object.keys(hosts) }
}
