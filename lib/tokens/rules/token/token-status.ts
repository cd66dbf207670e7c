import type { Temporal } from 'temporal-polyfill'
import { type AccountState, isRefused } from '../../../model/account-state.ts'
import { unprovenSince } from './doubt.ts'
import { DEAD_EARLY_SECONDS } from './due.ts'

/**
 * What is known of the published access token. `unproven`: something was sent that may have ended it, and the
 * broker has not been asked since (I9).
 */
export type TokenStatus = 'none' | 'expired' | 'refused' | 'unproven' | 'live'

/**
 * What is known of the published token, by the record alone. One that dies within a minute counts as expired.
 * Pure.
 */
export function tokenStatus(state: AccountState, now: Temporal.Instant): TokenStatus {
  const { accessToken } = state
  if (!accessToken) return 'none'
  if (isRefused(state)) return 'refused'
  if (now.until(accessToken.expiresAt).total('seconds') <= DEAD_EARLY_SECONDS) return 'expired'
  return unprovenSince(state, now) ? 'unproven' : 'live'
}

/** Whether the published token was proven, and nothing speaks against it since. Pure. */
export function isLive(state: AccountState, now: Temporal.Instant): boolean {
  return tokenStatus(state, now) === 'live'
}
