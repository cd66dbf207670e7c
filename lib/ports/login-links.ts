import type { AccountId } from '../model/account-id.ts'

/** Addresses of the login page for messages. */
export interface LoginLinks {
  /**
   * A signed address that opens the login page and does nothing else; `undefined` where there is no site or no
   * key to sign with. Throws TokenVaultError.
   */
  forIncident(account: AccountId, incident: string): Promise<string | undefined>
}
