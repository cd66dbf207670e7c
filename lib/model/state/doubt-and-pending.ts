import { TokenOrigin } from './access-token.ts'
import { instant, oneOf, optional, part, type ValueOf } from './fields.ts'

export const Doubt = part({
  since: instant,
  /** What was sent: the source of the token it may have brought. */
  by: TokenOrigin,
  /** The broker may act on it until then: a proof from before settles nothing. @default - it was over when it was sent */
  openUntil: optional(instant),
})
/**
 * Something was sent that may have ended the published access token, and nothing has settled since whether it did: a
 * grant or code whose fate is unknown, or whose token was not published, or a request for approval.
 */
export interface Doubt extends ValueOf<typeof Doubt> {}

export const PendingToken = part({
  mintedAt: instant,
  source: oneOf('refresh_token', 'credentials', 'upstream', 'login', 'approval'),
})
/** A token that was minted and could not be proven or published yet; it is kept in the vault as `pending`. */
export interface PendingToken extends ValueOf<typeof PendingToken> {}

/** What is not settled about a token. */
export const UNSETTLED_FIELDS = { doubt: optional(Doubt), pending: optional(PendingToken) }
