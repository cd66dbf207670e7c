import { Temporal } from 'temporal-polyfill'
import type { StoredSecret } from '../../ports/token-vault.ts'

/** A lower version that was written later is a parameter deleted and made anew, not a stale read. */
export function isOlder(secret: StoredSecret, version: number, writtenAt: Temporal.Instant): boolean {
  return secret.version < version && Temporal.Instant.compare(secret.modifiedAt, writtenAt) <= 0
}
