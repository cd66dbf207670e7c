import type { Broker } from '../../../ports/broker/broker.ts'
import { RequestRefusedError } from './request-refused.ts'

/** The broker with that id. Throws RequestRefusedError for one that is not switched on. */
export function switchedOn(brokers: readonly Broker[], id: string): Broker {
  const broker = brokers.find((one) => one.id === id)
  if (broker) return broker
  throw new RequestRefusedError(
    'configuration_invalid',
    'this broker is not switched on',
    'add it to cdk.json',
  )
}
