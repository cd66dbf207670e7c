import type { AccountId } from '../model/account-id.ts'
import type { Scope } from '../model/api-key.ts'
import type { ApiKeys } from '../ports/api-keys.ts'
import type { Clock } from '../ports/clock.ts'

/** The caller of a request, and what they may do. */
export interface Caller {
  /** The public part of the key; `undefined` for a program on this machine that needs no key. */
  readonly keyId: string | undefined
  readonly scopes: readonly Scope[]
  /** The only accounts they may know of; `undefined` for all. */
  readonly accounts: readonly AccountId[] | undefined
}

/** What tells callers apart. */
export interface AccessOptions {
  readonly keys: ApiKeys
  readonly clock: Clock
  /**
   * `loopback`: only programs on this machine can reach the service. `status` needs no key as long as there
   * is none, and the documentation never needs one. `keys`: every path needs a key.
   */
  readonly access: 'loopback' | 'keys'
}
