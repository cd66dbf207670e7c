import { Temporal } from 'temporal-polyfill'
import * as z from 'zod/mini'
import { nameOf } from '../../model/account-id.ts'
import { fingerprint } from '../../model/secrets/fingerprint.ts'
import { isBefore } from '../../model/time/instants.ts'
import type { Publication } from '../../ports/subscriber.ts'

/** What one `info` key says, as far as a writer must know it. */
const Info = z.object({
  account: z.string(),
  generation: z.number(),
  issued_at: z.string().check(z.refine(isInstant)),
  fingerprint: z.string(),
})
type StoredInfo = z.infer<typeof Info>

/** What consumers may know of the token beside the token itself, as JSON; times on the clocks of the broker's zone. */
export function infoOf(publication: Publication, now: Temporal.Instant): string {
  const { account, broker, timeZone, generation, source, accessToken } = publication
  const local = (instant: Temporal.Instant): string => instant.toString({ timeZone, smallestUnit: 'second' })
  return JSON.stringify({
    account_id: nameOf(account) ?? account,
    account,
    broker,
    state: 'live',
    expires_at: local(publication.expiresAt),
    issued_at: local(publication.issuedAt),
    last_validated_at: local(publication.provenAt),
    updated_at: local(now),
    source: source ?? null,
    fingerprint: fingerprint(accessToken),
    generation,
  })
}

/** What an `info` key holds; `undefined` for nothing, and for what we did not write. */
export function parseInfo(text: string | null): StoredInfo | undefined {
  try {
    return Info.safeParse(JSON.parse(text ?? 'null')).data
  } catch {
    return undefined
  }
}

/**
 * Whether what is there must stay: the same account's, of a later generation. One issued earlier all the same was left
 * by an account that was removed while Redis was away, and set up anew: its generations began again at 1.
 */
export function isNewer(stored: StoredInfo | undefined, publication: Publication): boolean {
  if (stored?.account !== publication.account || stored.generation <= publication.generation) return false
  return !isBefore(Temporal.Instant.from(stored.issued_at), publication.issuedAt)
}

function isInstant(text: string): boolean {
  try {
    return Temporal.Instant.from(text) !== undefined
  } catch {
    return false
  }
}
