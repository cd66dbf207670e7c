import type { Temporal } from 'temporal-polyfill'
import { isAfter } from '../../../model/time/instants.ts'
import type { StoredSecret } from '../../../ports/token-vault.ts'

/** A lower version that was written later is a parameter deleted and made anew, not a stale read. */
export function isOlder(secret: StoredSecret, version: number, writtenAt: Temporal.Instant): boolean {
  return secret.version < version && !isAfter(secret.modifiedAt, writtenAt)
}
