import type { z } from '@hono/zod-openapi'
import { shortId, statusOf } from '../../accounts/account-status.ts'
import type { KnownAccount } from '../../accounts/accounts.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import type { Clock } from '../../ports/clock.ts'
import type { PublishedToken } from '../../ports/token-service.ts'
import { isLive } from '../../tokens/rules/token/token-status.ts'
import { authorizationOf, authorizationScheme } from '../../tokens/service/read-published.ts'
import type { Token } from './schemas.ts'

type FieldName = 'access_token' | 'token_type' | 'authorization' | 'client_id' | 'session'
type Fields = Pick<z.input<typeof Token>, FieldName>
type Facts = Omit<z.input<typeof Token>, FieldName>

/** What is known of the published token, without the token itself. */
export function tokenFacts(
  { broker, state }: KnownAccount,
  published: PublishedToken | undefined,
  clock: Clock,
): Facts {
  const now = clock.now()
  const { expiresAt, issuedAt, unprovenSince } = statusOf(broker, state, now)
  // Somebody else may have stored another token since, of which nothing is known.
  const ours = published !== undefined && published.version === state.accessToken?.version
  const ends = ours ? state.accessToken?.expiresAt : undefined
  return {
    account_id: shortId(state.account),
    account: state.account,
    user_id: state.userId ?? null,
    live: ours && isLive(state, now),
    unproven_since: ours ? unprovenSince : null,
    generation: state.generation,
    version: published?.version ?? null,
    issued_at: ours ? issuedAt : null,
    expires_at: ours ? expiresAt : null,
    expires_in: ends ? Math.max(0, Math.floor(now.until(ends).total('seconds'))) : null,
  }
}

/** The token itself, ready to be sent to the broker. Only for callers with the scope `token`. */
export function tokenFields({ broker }: KnownAccount, published: PublishedToken): Fields {
  const { accessToken, clientId, session } = published
  return {
    access_token: accessToken.reveal(),
    token_type: authorizationScheme(broker),
    authorization: authorizationOf(broker, published) ?? null,
    client_id: clientId?.reveal() ?? null,
    session: session ? companionsIn(session) : null,
  }
}

/** The stored session as fields; `null` where it is no JSON object, as we write it. */
function companionsIn(session: Secret): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(session.reveal())
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
    return isObject ? (parsed as Record<string, unknown>) : null
  } catch {
    return null
  }
}
