import type { AccountId } from '../../model/account-id.ts'
import { type AccountState, changed, newAccountState } from '../../model/account-state.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'

/**
 * Registers the default account of a broker that has no account on record and yet something stored for it: parameters of an
 * older set-up. From then on it is an account like any other, which can be seen, paused and removed. Throws TokenVaultError,
 * StateStoreError.
 */
export async function registerFound(
  broker: Broker,
  { vault, states, telemetry }: Ports,
): Promise<AccountState | undefined> {
  const account = broker.id as AccountId
  const names = broker.credentials.map(({ name }) => name)
  if ((await vault.read(account, names)).size === 0) return undefined
  const found = changed(newAccountState(account), {})
  const replaced = await states.replace(found)
  // Two runs that find it at the same moment: one record all the same.
  if (!replaced.written) return replaced.current
  telemetry.warn('an account of an older set-up was found by its parameters and is registered now', {
    account,
  })
  return found
}
