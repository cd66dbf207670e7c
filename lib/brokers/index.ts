import { ConfigurationError } from '../model/errors.ts'
import type { Broker } from '../ports/broker/broker.ts'
import { fyers } from './fyers/fyers.ts'
import { iifl } from './iifl/iifl.ts'
import { iiflXts } from './iifl-xts/iifl-xts.ts'
import { posConnector } from './pos-connector/pos-connector.ts'
import { upstox } from './upstox/upstox.ts'
import { zerodha } from './zerodha/zerodha.ts'

/** Every broker. A new one is added by one line here. */
export const BROKERS = {
  fyers,
  iifl,
  upstox,
  zerodha,
  'iifl-xts': iiflXts,
  'pos-connector': posConnector,
} as const

export const ALL_BROKERS: readonly Broker[] = Object.values(BROKERS)

export type BrokerId = keyof typeof BROKERS

export const BROKER_IDS = Object.keys(BROKERS) as readonly BrokerId[]

/** The adapter of a broker. Throws ConfigurationError, which names the brokers there are. */
export function brokerNamed(id: string): Broker {
  if (Object.hasOwn(BROKERS, id)) return BROKERS[id as BrokerId]
  throw new ConfigurationError(`"${id.slice(0, 40)}" is no broker we know`, {
    fix: `use one of ${BROKER_IDS.join(', ')}`,
  })
}
