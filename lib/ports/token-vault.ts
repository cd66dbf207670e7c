import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../model/account-id.ts'
import { Secret } from '../model/secrets/secret.ts'
import type { SecretName } from '../model/secrets/secret-name.ts'

/** Not secret, but stored beside the secrets because the broker call needs it; a message may contain it. */
const NO_SECRETS: ReadonlySet<SecretName> = new Set([
  'redirect_uri',
  'user_id',
  'email',
  'base_url',
  'vendor_id',
])

/**
 * Makes the stored value of a name; every vault uses it. White space around the value is dropped: a console
 * or `echo` leaves a line end behind.
 */
export function storedValue(name: SecretName, value: string): Secret {
  return new Secret(value.trim(), { masked: !NO_SECRETS.has(name) })
}

/** A secret as the vault returns it. */
export interface StoredSecret {
  readonly value: Secret
  /** Counts the writes of this name; starts again at 1 after a deletion. */
  readonly version: number
  readonly modifiedAt: Temporal.Instant
}

export type StoredSecrets = ReadonlyMap<SecretName, StoredSecret>

/** The store of secrets, which holds nothing else. */
export interface TokenVault {
  /**
   * Reads the named secrets of one account in one batched read; those not stored are absent from the map. A
   * read may be a moment out of date. At most ten names. Throws TokenVaultError.
   */
  read(account: AccountId, names: readonly SecretName[]): Promise<StoredSecrets>
  /**
   * Writes one secret and returns its new version. Repeats passing faults until `deadline`. Throws
   * TokenVaultError.
   */
  write(
    account: AccountId,
    name: SecretName,
    value: Secret,
    options?: { readonly deadline?: Temporal.Instant },
  ): Promise<{ readonly version: number }>
  /** Removes one secret; a missing one is no error. Throws TokenVaultError. */
  remove(account: AccountId, name: SecretName): Promise<void>
}
