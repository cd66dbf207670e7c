import type { AccountState } from '../../../model/account-state.ts'
import { ConfigurationError } from '../../../model/errors.ts'
import type { Broker } from '../../../ports/broker/broker.ts'

/** Whether the broker has a call that proves a token of this account. Pure. */
export function isProvable(
  broker: Pick<Broker, 'provable'>,
  { settings }: Pick<AccountState, 'settings'>,
): boolean {
  return broker.provable?.(settings) !== false
}

/** Throws ConfigurationError where the broker has no call that proves a token of this account. */
export function assertProvable(broker: Broker, state: Pick<AccountState, 'account' | 'settings'>): void {
  if (isProvable(broker, state)) return
  throw new ConfigurationError(
    `${broker.displayName} has no call that proves a token of ${state.account}: only its own login does`,
    { fix: `let a login bring a new one: run tokenkeeper refresh ${state.account} --force` },
  )
}
