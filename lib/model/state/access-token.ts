import * as z from 'zod/mini'
import { instant, optional, part, type Stored } from './fields.ts'

export const TokenSource = z.enum([
  ...['refresh_token', 'credentials', 'upstream'],
  ...['login', 'approval', 'given', 'found'],
] as const)
/** Where an access token came from: a grant, a person's login or approval, somebody who handed it to us, or the vault. */
export type TokenSource = z.output<typeof TokenSource>

export const AccessTokenRecord = part({
  issuedAt: instant,
  expiresAt: instant,
  /** Which rule set `expiresAt`, in words: "the token's own exp", "03:30 Asia/Kolkata". */
  expiryDecidedBy: z.string(),
  provenAt: instant,
  /** The vault's version of what was published; another one means that somebody else wrote it. */
  version: z.number(),
  publishedAt: instant,
  source: optional(TokenSource),
})
/** What is known of the access token that consumers see. */
export interface AccessTokenRecord extends Stored<typeof AccessTokenRecord> {}

export const RefreshTokenRecord = part({
  expiresAt: optional(instant),
  savedAt: instant,
  version: z.number(),
})
