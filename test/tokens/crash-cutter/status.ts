import type { Temporal } from 'temporal-polyfill'
import type { AccountState } from '../../../lib/model/account-state.ts'
import { tokenStatus } from '../../../lib/tokens/rules/token/token-status.ts'

/** Whether status says that consumers hold a live token. */
export function saysLive(state: AccountState | undefined, now: Temporal.Instant): boolean {
  return state !== undefined && tokenStatus(state, now) === 'live'
}
