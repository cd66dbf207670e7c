import type { AccountId } from './account-id.ts'
import { ConfigurationError } from './errors.ts'

/** Neither registered nor with anything stored: most likely a slip of the pen. */
export function unknownAccount(account: AccountId): ConfigurationError {
  return new ConfigurationError(`${account} is unknown: nothing is stored for it`, {
    fix: `check the spelling, or run tokenkeeper setup ${account}`,
  })
}
