import type { AccessTokenRecord } from '../../lib/model/account-state.ts'

type Times = Pick<AccessTokenRecord, 'issuedAt' | 'expiresAt'>

/** What is on record of an access token; proven and published at the instant it was issued, where nothing else is said. */
export function tokenRecord(given: Times & Partial<AccessTokenRecord>): AccessTokenRecord {
  const { issuedAt } = given
  return { expiryDecidedBy: 'a test', provenAt: issuedAt, publishedAt: issuedAt, version: 1, ...given }
}
