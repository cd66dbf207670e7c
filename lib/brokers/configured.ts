import type { Broker } from '../ports/broker.ts'

/** What the owner may set for all accounts of a broker. */
export interface BrokerSettings {
  readonly pacingSeconds: number
  readonly leewayMinutes?: number | undefined
  readonly maxLifetimeHours?: number | undefined
}

/** A broker with the owner's settings in place of its own defaults. */
export function configured(broker: Broker, settings: BrokerSettings): Broker {
  const { leewayMinutes, maxLifetimeHours, pacingSeconds } = settings
  return {
    ...broker,
    pacingSeconds,
    session: {
      ...broker.session,
      ...(leewayMinutes !== undefined && { leewayMinutes }),
      ...(maxLifetimeHours !== undefined && { maxLifetimeHours }),
    },
  }
}
