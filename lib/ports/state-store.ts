import type { AccountId } from '../model/account-id.ts'
import type { AccountState } from '../model/account-state.ts'

/** Whether the write was made; `current` is the stored record where another writer was first. */
export type Replaced =
  | { readonly written: true }
  | { readonly written: false; readonly current: AccountState | undefined }

/**
 * The account registry, and everything known of an account except its secrets. There is one record per
 * account. It is replaced whole, and only if nobody else has replaced it meanwhile; leases, fencing and
 * budgets rest on that.
 */
export interface StateStore {
  /** The records of a broker's accounts in the order of their ids, read consistently. Throws StateStoreError. */
  list(broker: string): AsyncIterable<AccountState>
  /** One record, read consistently; `undefined` where there is none. Throws StateStoreError. */
  get(account: AccountId): Promise<AccountState | undefined>
  /**
   * Writes `next` if the stored revision is exactly `next.revision - 1`; for revision 1 there must be no
   * record. Throws StateStoreError.
   */
  replace(next: AccountState): Promise<Replaced>
  /** Removes the account from the registry; a missing one is no error. Throws StateStoreError. */
  remove(account: AccountId): Promise<void>
}
