import type { TokenSource } from '../model/account-state.ts'
import type { Publication } from '../ports/subscriber.ts'

/**
 * What programs are told of a newly published access token; never the token. Within version 1 fields are only ever
 * added. Events of one account may arrive twice or in another order than they were sent in: the higher `generation` is
 * the newer token.
 */
export interface EventJson {
  readonly version: 1
  readonly kind: 'token_published'
  /** `fyers` for a broker's default account, `iifl/28748327` for a further one. */
  readonly account: string
  readonly broker: string
  /** Counts the account's published access tokens. */
  readonly generation: number
  /** RFC 3339 in UTC, as the two after it: when the broker issued the token. */
  readonly issuedAt: string
  readonly expiresAt: string
  /** When a live call last proved it. */
  readonly provenAt: string
  /** Where the token came from; absent where nobody knows. */
  readonly source?: TokenSource
}

/** A publication as an event. Field by field, so that what a publication may hold besides stays here. */
export function eventJson(publication: Publication): EventJson {
  const { account, broker, generation, issuedAt, expiresAt, provenAt, source } = publication
  return {
    version: 1,
    kind: 'token_published',
    account,
    broker,
    generation,
    issuedAt: issuedAt.toString(),
    expiresAt: expiresAt.toString(),
    provenAt: provenAt.toString(),
    ...(source !== undefined && { source }),
  }
}

/** What filter policies can choose an event by: the same values as in it. */
export function eventAttributes({ account, broker }: Publication): Readonly<Record<string, string>> {
  return { kind: 'token_published', broker, account }
}
