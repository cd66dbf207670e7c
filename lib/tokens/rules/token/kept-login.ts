import type { AccountState, LoginAttempt } from '../../../model/account-state.ts'
import { isBefore } from '../../../model/time/instants.ts'

/**
 * What has become of a login whose token was kept for want of a proof: it waits, it is published, or the broker refused it
 * after all. Pure.
 */
export type KeptLogin = 'pending' | 'published' | 'gone'

/** `undefined` for a login that ended otherwise. */
export function keptLogin(state: AccountState, { result, usedAt }: LoginAttempt): KeptLogin | undefined {
  if (!result?.kept) return undefined
  if (state.pending) return 'pending'
  const { authorizedAt } = state
  const isPublished = authorizedAt && usedAt && !isBefore(authorizedAt, usedAt)
  return isPublished ? 'published' : 'gone'
}
