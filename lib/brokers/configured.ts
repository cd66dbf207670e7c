import type { Broker } from '../ports/broker.ts'

/** What the owner may set for all accounts of a broker. */
export interface BrokerSettings {
  readonly pacingSeconds: number
  readonly leewayMinutes?: number | undefined
  readonly maxLifetimeHours?: number | undefined
  readonly remindMinutesBeforeOpen?: readonly number[] | undefined
  readonly proveMinutesBeforeOpen?: number | undefined
  /** When the account holder is asked in the broker's own app, HH:MM in the broker's zone. */
  readonly approvalAt?: string | undefined
}

/** A broker with the owner's settings in place of its own defaults. */
export function configured(broker: Broker, settings: BrokerSettings): Broker {
  const { leewayMinutes, maxLifetimeHours, pacingSeconds, approvalAt } = settings
  const { remindMinutesBeforeOpen, proveMinutesBeforeOpen } = settings
  const { login } = broker
  return {
    ...broker,
    pacingSeconds,
    ...(remindMinutesBeforeOpen && { remindMinutesBeforeOpen }),
    ...(proveMinutesBeforeOpen !== undefined && { proveMinutesBeforeOpen }),
    ...(login?.approval &&
      approvalAt && { login: { ...login, approval: { ...login.approval, at: approvalAt } } }),
    session: {
      ...broker.session,
      ...(leewayMinutes !== undefined && { leewayMinutes }),
      ...(maxLifetimeHours !== undefined && { maxLifetimeHours }),
    },
  }
}
