import { TokenOrigin } from './access-token.ts'
import { instant, oneOf, optional, part, type ValueOf } from './fields.ts'

export const Doubt = part({
  since: instant,
  /** What was sent: the source of the token it may have brought. */
  by: TokenOrigin,
  /**
   * The broker may act on what was sent until then, so an earlier proof settles nothing. @default - it acted
   * at once
   */
  openUntil: optional(instant),
})
/**
 * Something was sent that may have ended the published access token, and it is not settled yet whether it
 * did: a grant or a code whose fate is unknown or whose token was not published, or a request for approval.
 */
export interface Doubt extends ValueOf<typeof Doubt> {}

export const PendingToken = part({
  mintedAt: instant,
  source: oneOf('refresh_token', 'credentials', 'upstream', 'login', 'approval'),
})
/** A token that was minted and could not be proven or published yet; it is kept in the vault as `pending`. */
export interface PendingToken extends ValueOf<typeof PendingToken> {}

/** What is not settled yet about an account's tokens. */
export const UNSETTLED_FIELDS = { doubt: optional(Doubt), pending: optional(PendingToken) }
