import type { AccountId } from '../model/account-id.ts'

/** Where a mirror holds something of an account, and whether it does. */
export interface MirroredKey {
  readonly account: AccountId
  /** A key of Redis, a variable of a file, or a file. */
  readonly key: string
  readonly there: boolean
  /** Whole seconds it has left, where it ends by itself. */
  readonly secondsLeft?: number
  /** Of the token it belongs to, where that is known. */
  readonly generation?: number
}
