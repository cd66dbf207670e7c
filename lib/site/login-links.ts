import { Temporal } from 'temporal-polyfill'
import { type AccountId, parseAccountId } from '../model/account-id.ts'
import { isBefore } from '../model/time/instants.ts'
import type { Clock } from '../ports/clock.ts'
import type { LoginLinks } from '../ports/login-links.ts'
import { isSignature, type SigningKeys, signature } from './signing-keys.ts'

/** Hours; a day is enough, since each reminder has a new link. */
const LINK_HOURS = 24

export interface LoginLinksOptions {
  readonly keys: SigningKeys
  /** The site's address, without a slash at its end. */
  readonly siteUrl: string
  readonly clock: Clock
}

/**
 * Makes links to the login page for messages, valid for 24 h:
 * `{siteUrl}/login?account=…&incident=…&until=<epoch seconds>&key=<key id>&sig=<HMAC>`. Anybody who has one
 * may look at the page and press its buttons, which lead to the broker's own login. Throws TokenVaultError
 * and ConfigurationError.
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

/** What the check of a link has found. */
export type LinkVerdict =
  | { readonly verdict: 'valid'; readonly account: AccountId; readonly incident: string }
  /** Signed by us, but too old. */
  | { readonly verdict: 'expired' }
  | { readonly verdict: 'forged' }
  /** Not one of our links: it has no signature. */
  | { readonly verdict: 'unsigned' }

/**
 * Checks a query that may be of one of the links of {@link loginLinks}. Throws TokenVaultError and
 * ConfigurationError.
 */
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
