import type { AccountId } from '../model/account-id.ts'

/** Makes links to the login page for messages. */
export interface LoginLinks {
  /**
   * A signed link that opens the login page and does nothing else; `undefined` where there is no site or no
   * signing key. Throws TokenVaultError.
   */
  forIncident(account: AccountId, incident: string): Promise<string | undefined>
}
