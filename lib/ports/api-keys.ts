import type { Temporal } from 'temporal-polyfill'
import type { ApiKey } from '../model/api-key.ts'

/** The store of API keys. What is stored of a key cannot be used as one. */
export interface ApiKeys {
  /** Stores a new key. Throws StateStoreError, also where the id is taken. */
  create(key: ApiKey): Promise<void>
  /** All keys, revoked and expired ones too, the oldest first. Throws StateStoreError. */
  list(): Promise<readonly ApiKey[]>
  /**
   * One key, read consistently, so that a revocation counts at once; `undefined` for an unknown id. Throws
   * StateStoreError.
   */
  find(id: string): Promise<ApiKey | undefined>
  /**
   * Ends a key for good and returns it as it stands then; a second revocation does not change the time of the
   * first. `undefined` for an unknown id. Throws StateStoreError.
   */
  revoke(id: string, at: Temporal.Instant): Promise<ApiKey | undefined>
}
