import type { AccountId } from './account-id.ts'
import { ConfigurationError } from './errors.ts'

/**
 * The error for an account that is not registered and has nothing stored: most likely its name was mistyped.
 */
export function unknownAccount(account: AccountId): ConfigurationError {
  return new ConfigurationError(`${account} is unknown: nothing is stored for it`, {
    fix: `check the spelling, or run tokenkeeper setup ${account}`,
  })
}
