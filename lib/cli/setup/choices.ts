import type { Broker } from '../../ports/broker/broker.ts'
import type { SettingsChange } from '../accounts/registration.ts'
import { marketsOfAccount } from '../markets/names.ts'
import { UsageError } from '../terminal/usage-error.ts'

export interface Choices {
  readonly nickname?: string
  readonly leewayMinutes?: number
  readonly maxLifetimeHours?: number
  /** Names with commas between them, `none`, or `usual` for those of its broker again. */
  readonly markets?: string
  readonly managedBy?: 'external'
  readonly option?: readonly string[]
}

/** What an owner chooses for an account, as it is stored. Throws UsageError. */
export function settingsIn(options: Choices): SettingsChange {
  const { nickname, managedBy, leewayMinutes, maxLifetimeHours, markets, option = [] } = options
  const choices = option.map((text) => {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
    if (key === undefined || value === undefined) {
      throw new UsageError(`"${text.slice(0, 40)}" is no option of an account`, 'write --option key=value')
    }
    return [key, value] as const
  })
  return {
    ...(nickname !== undefined && { nickname }),
    ...(managedBy && { managedBy }),
    ...(leewayMinutes !== undefined && { leewayMinutes }),
    ...(maxLifetimeHours !== undefined && { maxLifetimeHours }),
    ...(markets !== undefined && { markets: marketsOfAccount(markets) }),
    ...(choices.length > 0 && { options: Object.fromEntries(choices) }),
  }
}

/** A slip in a name would be kept and never looked at. */
export function assertKnownOptions({ displayName, options = {} }: Broker, settings: SettingsChange): void {
  const stranger = Object.keys(settings.options ?? {}).find((name) => !Object.hasOwn(options, name))
  if (stranger === undefined) return
  const allowed = Object.entries(options).map(([name, chooses]) => `${name} (${chooses})`)
  throw new UsageError(
    `${displayName} knows no option "${stranger.slice(0, 40)}"`,
    allowed.length > 0 ? `use ${allowed.join(', ')}` : 'leave --option out: this broker has none',
  )
}

/** Without a session of its broker's own an account is asked for in time for no market. Throws UsageError. */
export function assertTrades(
  { displayName, id, tradingSession }: Broker,
  markets: readonly string[] = [],
): void {
  if (tradingSession || markets.length === 0) return
  throw new UsageError(
    `${displayName} trades on no market`,
    `leave --markets out, or name markets for the broker: brokers.${id}.markets in cdk.json`,
  )
}
