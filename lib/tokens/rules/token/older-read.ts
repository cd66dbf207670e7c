import type { Temporal } from 'temporal-polyfill'
import { isAfter } from '../../../model/time/instants.ts'
import type { StoredSecret } from '../../../ports/token-vault.ts'

/**
 * Whether a read shows an older value than the one written last. A lower version that was written later is no
 * stale read: the parameter was deleted and made anew. Pure.
 */
export function isOlder(secret: StoredSecret, version: number, writtenAt: Temporal.Instant): boolean {
  return secret.version < version && !isAfter(secret.modifiedAt, writtenAt)
}
