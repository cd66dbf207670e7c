import { Temporal } from 'temporal-polyfill'
import * as z from 'zod/mini'
import type { AccountState, PendingToken } from '../../../model/account-state.ts'
import { Secret } from '../../../model/secrets/secret.ts'
import { isFromTheFuture } from '../../../model/time/clock-tolerance.ts'
import { isAfter } from '../../../model/time/instants.ts'
import type { Renewal } from '../../../ports/broker/broker-context.ts'
import type { StoredSecrets } from '../../../ports/token-vault.ts'

/** What is kept of a pending token: everything its publication needs, as one JSON text in the vault. */
const Kept = z.object({
  accessToken: z.string(),
  /**
   * Present only where it could not be saved before its owner was known (lib/tokens/login/publish-login.ts).
   */
  refreshToken: z.optional(z.string()),
  session: z.optional(z.string()),
  sentAt: z.string(),
  expiresIn: z.optional(z.number()),
  expiresAt: z.optional(z.string()),
  userId: z.optional(z.string()),
  source: z.enum(['refresh_token', 'credentials', 'upstream', 'login', 'approval']),
})

/** A token that was minted and has yet to be proven and published. */
export interface Pending {
  readonly renewal: Renewal
  readonly source: PendingToken['source']
}

/**
 * The pending token; `undefined` where there is none, it cannot be read, or the published token is as new.
 * Pure.
 */
export function pendingIn(
  stored: StoredSecrets,
  { accessToken }: AccountState,
  now: Temporal.Instant,
): Pending | undefined {
  const text = stored.get('pending')?.value
  const pending = text && decoded(text)
  if (!pending) return undefined
  const isNewer =
    accessToken === undefined ||
    // An issue time in the future was written by a clock that was ahead; it must not make the kept token look
    // old.
    isFromTheFuture(accessToken.issuedAt, now) ||
    isAfter(pending.renewal.sentAt, accessToken.issuedAt)
  return isNewer ? pending : undefined
}

/** The text that is stored of a pending token, under the name `pending`. */
export function encodedPending({ renewal, source }: Pending): Secret {
  const { accessToken, refreshToken, session, sentAt, expiresIn, expiresAt, userId } = renewal
  return new Secret(
    JSON.stringify({
      accessToken: accessToken.reveal(),
      refreshToken: refreshToken?.reveal(),
      session: session?.reveal(),
      sentAt,
      expiresIn,
      expiresAt,
      userId,
      source,
    }),
  )
}

function decoded(text: Secret): Pending | undefined {
  let json: unknown
  try {
    json = JSON.parse(text.reveal())
  } catch {
    return undefined
  }
  const { data } = Kept.safeParse(json)
  if (!data) return undefined
  const { accessToken, refreshToken, session, sentAt, expiresIn, expiresAt, userId, source } = data
  return {
    source,
    renewal: {
      accessToken: new Secret(accessToken),
      sentAt: Temporal.Instant.from(sentAt),
      ...(refreshToken !== undefined && { refreshToken: new Secret(refreshToken) }),
      ...(session !== undefined && { session: new Secret(session) }),
      ...(expiresIn !== undefined && { expiresIn }),
      ...(expiresAt !== undefined && { expiresAt: Temporal.Instant.from(expiresAt) }),
      ...(userId !== undefined && { userId }),
    },
  }
}
