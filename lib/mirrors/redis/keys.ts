import type { Temporal } from 'temporal-polyfill'
import { type AccountId, brokerOf, nameOf } from '../../model/account-id.ts'

/** No key lives longer, however long its token does (requirements R2.8). */
const MOST_SECONDS = 86_400
/** Upstox's metadata is called as its guide calls it, without the broker. */
const UNPREFIXED_INFO = 'upstox'

/** Two keys that are written and read together. */
export interface KeyPair {
  /** The bare access token. */
  readonly token: string
  /** What is known of it, as JSON. */
  readonly info: string
}

/**
 * The keys of an account (lib/brokers/upstox/README.md, Mirror): `upstox_access_token:ACC1` and `token_info:ACC1`, for
 * other brokers `fyers_access_token` and `fyers_token_info`. Those without an account in them belong to the first of
 * the broker's accounts in `defaultAccounts`, and where there is none to the broker's default account. The first pair
 * is the one to compare with; none means that the account has no keys.
 */
export function keysOf(account: AccountId, defaultAccounts: readonly string[]): readonly KeyPair[] {
  const name = nameOf(account)
  const named = name === undefined ? [] : [pairOf(brokerOf(account), `:${name}`)]
  return ownsShortKeys(account, defaultAccounts) ? [...named, pairOf(brokerOf(account), '')] : named
}

function ownsShortKeys(account: AccountId, defaultAccounts: readonly string[]): boolean {
  const broker = brokerOf(account)
  const chosen = defaultAccounts.find((one) => brokerOf(one as AccountId) === broker)
  return account === (chosen ?? broker)
}

function pairOf(broker: string, suffix: string): KeyPair {
  const prefix = broker.replaceAll('-', '_')
  const info = broker === UNPREFIXED_INFO ? 'token_info' : `${prefix}_token_info`
  return { token: `${prefix}_access_token${suffix}`, info: `${info}${suffix}` }
}

/** Whole seconds the keys may live: no longer than the token, and 24 hours at most; below 1 there is nothing to write. */
export function secondsToLive(expiresAt: Temporal.Instant, now: Temporal.Instant): number {
  return Math.min(MOST_SECONDS, Math.floor(now.until(expiresAt).total('seconds')))
}
