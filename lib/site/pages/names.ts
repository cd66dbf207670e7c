import type { Temporal } from 'temporal-polyfill'
import type { KnownAccount } from '../../accounts/accounts.ts'
import { nameOf } from '../../model/account-id.ts'

/**
 * Whose account it is: its nickname, else its name; `undefined` for a broker's default account without a
 * nickname.
 */
function ownerOf({ state }: KnownAccount): string | undefined {
  return state.settings.nickname ?? nameOf(state.account)
}

/** "Bina at FYERS", or "FYERS" alone. */
export function titleOf(known: KnownAccount): string {
  const owner = ownerOf(known)
  const { displayName } = known.broker
  return owner === undefined ? displayName : `${owner} at ${displayName}`
}

/** The text of a button: "Log in at FYERS for Bina". */
export function forOwner(words: string, known: KnownAccount): string {
  const owner = ownerOf(known)
  return owner === undefined ? words : `${words} for ${owner}`
}

/** "1 account", "2 accounts". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** The time from one instant to another in words: "in 1 h 12 min". */
export function inWords(from: Temporal.Instant, to: Temporal.Instant): string {
  const minutes = Math.max(0, Math.floor(from.until(to).total('minutes')))
  const hours = Math.floor(minutes / 60)
  if (hours >= 48) return `in ${Math.floor(hours / 24)} days`
  return hours === 0 ? `in ${minutes} min` : `in ${hours} h ${minutes % 60} min`
}
