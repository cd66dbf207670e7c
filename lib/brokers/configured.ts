import type { Broker } from '../ports/broker/broker.ts'
import type { BrokerSettings } from './settings.ts'

/**
 * A broker with the owner's settings in place of its own defaults. Functions, the command and the stack all
 * apply settings only by this. Pure.
 */
export function configured(broker: Broker, settings: Partial<BrokerSettings>): Broker {
  const { schedules, timeZone, leewayMinutes, maxLifetimeHours, pacingSeconds, approvalAt } = settings
  const { remindMinutesBeforeOpen, proveMinutesBeforeOpen } = settings
  const { login, schedule } = broker
  return {
    ...broker,
    schedule: {
      expressions: schedules ?? schedule.expressions,
      timeZone: timeZone ?? schedule.timeZone,
    },
    ...(pacingSeconds !== undefined && { pacingSeconds }),
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
