import { Temporal } from 'temporal-polyfill'
import { type AccountId, parseAccountId } from '../model/account-id.ts'
import { isBefore } from '../model/time/instants.ts'
import type { Clock } from '../ports/clock.ts'
import type { LoginLinks } from '../ports/login-links.ts'
import { isSignature, type SigningKeys, signature } from './signing-keys.ts'

/** A reminder has a link of its own, so one day is enough. */
const LINK_HOURS = 24

export interface LoginLinksOptions {
  readonly keys: SigningKeys
  /** The site's address, without a slash at its end. */
  readonly siteUrl: string
  readonly clock: Clock
}

/**
 * Addresses of the login page for messages, valid for 24 h:
 * `{siteUrl}/login?account=…&incident=…&until=<epoch seconds>&key=<key id>&sig=<HMAC>`. Whoever has one may look at
 * the page and press its buttons, which lead to the broker's own login.
 */
export function loginLinks({ keys, siteUrl, clock }: LoginLinksOptions): LoginLinks {
  return {
    async forIncident(account, incident) {
      const key = await keys.current()
      if (!key) return undefined
      const until = Math.floor(clock.now().add({ hours: LINK_HOURS }).epochMilliseconds / 1000)
      const sig = signature(key, 'link', signedText(account, incident, String(until)))
      const query = new URLSearchParams({ account, incident, until: String(until), key: key.id, sig })
      return `${siteUrl}/login?${query}`
    },
  }
}

export type LinkVerdict =
  | { readonly verdict: 'valid'; readonly account: AccountId; readonly incident: string }
  /** Signed by us, and too old. */
  | { readonly verdict: 'expired' }
  | { readonly verdict: 'forged' }
  /** Not a link of ours at all: nothing in it claims to be signed. */
  | { readonly verdict: 'unsigned' }

/** What a query is worth that may be one of {@link loginLinks}'. Throws TokenVaultError. */
export async function verifyLink(
  query: URLSearchParams,
  keys: SigningKeys,
  now: Temporal.Instant,
): Promise<LinkVerdict> {
  const [account, incident, until, id, sig] = ['account', 'incident', 'until', 'key', 'sig'].map((name) =>
    query.get(name),
  )
  if (typeof sig !== 'string') return { verdict: 'unsigned' }
  if (!account || !incident || !until || !id) return { verdict: 'forged' }
  const key = await keys.named(id)
  if (!key || !isSignature(key, 'link', signedText(account, incident, until), sig)) {
    return { verdict: 'forged' }
  }
  const end = Temporal.Instant.fromEpochMilliseconds(Number(until) * 1000)
  if (!isBefore(now, end)) return { verdict: 'expired' }
  return { verdict: 'valid', account: parseAccountId(account), incident }
}

function signedText(...fields: readonly string[]): string {
  return JSON.stringify(fields)
}
