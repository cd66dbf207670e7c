import type { Temporal } from 'temporal-polyfill'
import type { ApiKey } from '../model/api-key.ts'

/** The keys programs present. What is kept of a key opens nothing. */
export interface ApiKeys {
  /** Keeps a new key; one of an id that is taken is refused. Throws StateStoreError. */
  create(key: ApiKey): Promise<void>
  /** All keys, revoked and expired ones too, the oldest first. Throws StateStoreError. */
  list(): Promise<readonly ApiKey[]>
  /** One key, read consistently, so that a revocation counts at once. Throws StateStoreError. */
  find(id: string): Promise<ApiKey | undefined>
  /**
   * Ends a key for good and gives it as it stands then; the first revocation's time stays. `undefined` for an id
   * there is not. Throws StateStoreError.
   */
  revoke(id: string, at: Temporal.Instant): Promise<ApiKey | undefined>
}
