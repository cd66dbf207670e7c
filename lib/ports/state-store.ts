import type { AccountId } from '../model/account-id.ts'
import type { AccountState } from '../model/account-state.ts'

/** Either the write happened, or another writer was first and this is what stands there now. */
export type Replaced =
  | { readonly written: true }
  | { readonly written: false; readonly current: AccountState | undefined }

/**
 * The account registry and everything known of an account that is no secret. One record per account, replaced
 * whole and only if nobody else replaced it in between: leases, fencing and budgets need nothing more.
 */
export interface StateStore {
  /** The records of a broker's accounts in the order of their ids, read consistently. Throws StateStoreError. */
  list(broker: string): AsyncIterable<AccountState>
  /** One record, read consistently. Throws StateStoreError. */
  get(account: AccountId): Promise<AccountState | undefined>
  /**
   * Writes `next` if the stored revision is exactly `next.revision - 1` (0 and no record for a new account).
   * Throws StateStoreError.
   */
  replace(next: AccountState): Promise<Replaced>
  /** Removes the account from the registry; a missing one is no error. Throws StateStoreError. */
  remove(account: AccountId): Promise<void>
}
