import type { AccountId } from '../model/account-id.ts'
import type { Scope } from '../model/api-key.ts'
import type { ApiKeys } from '../ports/api-keys.ts'
import type { Clock } from '../ports/clock.ts'

/** Who asks, and what they may. */
export interface Caller {
  /** The public part of the key; absent for a program of this machine that needs none. */
  readonly keyId: string | undefined
  readonly scopes: readonly Scope[]
  /** The only accounts they may know of. @default - all */
  readonly accounts: readonly AccountId[] | undefined
}

/** How callers are told apart. */
export interface AccessOptions {
  readonly keys: ApiKeys
  readonly clock: Clock
  /**
   * `loopback`: only programs of this machine can reach the service, so `status` needs no key until there is one, and
   * the documentation never does. `keys`: every path needs one.
   */
  readonly access: 'loopback' | 'keys'
}
