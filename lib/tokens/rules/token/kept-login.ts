import type { AccountState, LoginAttempt } from '../../../model/account-state.ts'
import { isBefore } from '../../../model/time/instants.ts'

/**
 * What has become of a login whose token could not be proven at once: it is still pending, it is published,
 * or the broker refused it later.
 */
export type KeptLogin = 'pending' | 'published' | 'gone'

/**
 * What has become of the token that this login brought and that was kept; `undefined` for a login whose token
 * was not kept. Pure.
 */
export function keptLogin(state: AccountState, { result, usedAt }: LoginAttempt): KeptLogin | undefined {
  if (!result?.kept) return undefined
  if (state.pending) return 'pending'
  const { authorizedAt } = state
  const isPublished = authorizedAt && usedAt && !isBefore(authorizedAt, usedAt)
  return isPublished ? 'published' : 'gone'
}
