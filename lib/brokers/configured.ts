import { sessionOfMarkets } from '../markets/session.ts'
import type { MarketDays } from '../model/market-days.ts'
import type { MarketName } from '../model/market-name.ts'
import type { Broker, TradingSession } from '../ports/broker/broker.ts'
import type { BrokerSettings } from './settings.ts'

/**
 * A broker with the owner's settings in place of its own defaults: the one way from settings to a broker, for functions,
 * the command and the stack alike. `days` is what the owner has said of single days, asked for each time.
 */
export function configured(
  broker: Broker,
  settings: Partial<BrokerSettings>,
  days?: () => MarketDays,
): Broker {
  const { schedules, timeZone, markets, leewayMinutes, maxLifetimeHours, pacingSeconds, approvalAt } =
    settings
  const { remindMinutesBeforeOpen, proveMinutesBeforeOpen } = settings
  const { login, schedule, tradingSession: usual, ...rest } = broker
  const tradingSession = sessionFor(usual, markets, days)
  return {
    ...rest,
    ...(login && { login }),
    ...(tradingSession && { tradingSession }),
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

/** By the markets the owner names, else by the usual ones. */
function sessionFor(
  usual: TradingSession | undefined,
  named: readonly MarketName[] | undefined,
  days: (() => MarketDays) | undefined,
): TradingSession | undefined {
  if (named) return sessionOfMarkets(named, days)
  return usual && days && usual.markets.length > 0 ? sessionOfMarkets(usual.markets, days) : usual
}
