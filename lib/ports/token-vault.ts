import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../model/account-id.ts'
import { Secret } from '../model/secret.ts'
import type { SecretName } from '../model/secret-name.ts'

/** Stored beside the secrets because the broker call needs them; a message may name them. */
const NO_SECRETS: ReadonlySet<SecretName> = new Set([
  'redirect_uri',
  'user_id',
  'email',
  'base_url',
  'vendor_id',
])

/**
 * A stored value under its name; every vault makes its values here. A console or an echo leaves a line's end behind, which
 * belongs to no value.
 */
export function storedValue(name: SecretName, value: string): Secret {
  return new Secret(value.trim(), { masked: !NO_SECRETS.has(name) })
}

export interface StoredSecret {
  readonly value: Secret
  /** Counts the writes of this name; starts again at 1 after a deletion. */
  readonly version: number
  readonly modifiedAt: Temporal.Instant
}

export type StoredSecrets = ReadonlyMap<SecretName, StoredSecret>

/** Where secrets live, and nothing but secrets. */
export interface TokenVault {
  /**
   * All the named secrets of one account in one batched read; an absent one is absent from the map.
   * Reads may be a moment stale. At most ten names. Throws TokenVaultError.
   */
  read(account: AccountId, names: readonly SecretName[]): Promise<StoredSecrets>
  /** Writes one secret and gives its new version. Repeats passing faults until `deadline`. Throws TokenVaultError. */
  write(
    account: AccountId,
    name: SecretName,
    value: Secret,
    options?: { readonly deadline?: Temporal.Instant },
  ): Promise<{ readonly version: number }>
  /** Removes one secret; a missing one is no error. Throws TokenVaultError. */
  remove(account: AccountId, name: SecretName): Promise<void>
}
