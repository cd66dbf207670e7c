import { instant, number, oneOf, optional, part, text, type ValueOf } from './fields.ts'

export const TokenOrigin = oneOf(
  'refresh_token',
  'credentials',
  'upstream',
  'login',
  'approval',
  'given',
  'found',
)
/** Where an access token came from: a grant, a person's login or approval, somebody who handed it to us, or the vault. */
export type TokenOrigin = ValueOf<typeof TokenOrigin>

export const AccessTokenRecord = part({
  issuedAt: instant,
  expiresAt: instant,
  /** Which rule set `expiresAt`, in words: "the token's own exp", "03:30 Asia/Kolkata". */
  expiryDecidedBy: text,
  provenAt: instant,
  /** The vault's version of the published token; another version there means that somebody else wrote it. */
  version: number,
  publishedAt: instant,
  source: optional(TokenOrigin),
})
/** What is known of the published access token. */
export interface AccessTokenRecord extends ValueOf<typeof AccessTokenRecord> {}

const RefreshTokenRecord = part({
  expiresAt: optional(instant),
  savedAt: instant,
  version: number,
})

/** The published token, and the refresh token that comes with it. */
export const TOKEN_FIELDS = {
  /** Counts published access tokens. */
  generation: number,
  accessToken: optional(AccessTokenRecord),
  refreshToken: optional(RefreshTokenRecord),
  /**
   * The vault's version of the stored access token that the broker refused. Absent once another was published
   * or proven.
   */
  refusedVersion: optional(number),
}
