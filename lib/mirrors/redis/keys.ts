import type { Temporal } from 'temporal-polyfill'
import { type AccountId, brokerOf, nameOf } from '../../model/account-id.ts'
import type { Broker } from '../../ports/broker/broker.ts'

/** No key lives longer, however long its token does (requirements R2.8). */
const MOST_SECONDS = 86_400

/** Two keys that are written and read together. */
export interface KeyPair {
  /** The bare access token. */
  readonly token: string
  /** What is known of it, as JSON. */
  readonly info: string
}

/** What decides how keys are called. */
export interface KeyNaming {
  /** Accounts whose keys also appear without the account in them; the first of each broker counts. */
  readonly defaultAccounts: readonly string[]
  /** Those that are mirrored: a guide may have a name of its own for what is known of a token. */
  readonly brokers: readonly Pick<Broker, 'id' | 'guide'>[]
}

/**
 * The keys of an account (lib/brokers/upstox/README.md, Mirror): `upstox_access_token:ACC1` and `token_info:ACC1`, for
 * other brokers `fyers_access_token` and `fyers_token_info`. Those without an account in them belong to the first of
 * the broker's accounts in `defaultAccounts`, and where there is none to the broker's default account. The first pair
 * is the one to compare with; none means that the account has no keys.
 */
export function keysOf(account: AccountId, { defaultAccounts, brokers }: KeyNaming): readonly KeyPair[] {
  const name = nameOf(account)
  const pair = (suffix: string): KeyPair => pairOf(brokerOf(account), suffix, brokers)
  const named = name === undefined ? [] : [pair(`:${name}`)]
  return ownsShortKeys(account, defaultAccounts) ? [...named, pair('')] : named
}

function ownsShortKeys(account: AccountId, defaultAccounts: readonly string[]): boolean {
  const broker = brokerOf(account)
  const chosen = defaultAccounts.find((one) => brokerOf(one as AccountId) === broker)
  return account === (chosen ?? broker)
}

function pairOf(broker: string, suffix: string, brokers: KeyNaming['brokers']): KeyPair {
  const prefix = broker.replaceAll('-', '_')
  const info = brokers.find(({ id }) => id === broker)?.guide?.redisInfoKey ?? `${prefix}_token_info`
  return { token: `${prefix}_access_token${suffix}`, info: `${info}${suffix}` }
}

/** Whole seconds the keys may live: no longer than the token, and 24 hours at most; below 1 there is nothing to write. */
export function secondsToLive(expiresAt: Temporal.Instant, now: Temporal.Instant): number {
  return Math.min(MOST_SECONDS, Math.floor(now.until(expiresAt).total('seconds')))
}
