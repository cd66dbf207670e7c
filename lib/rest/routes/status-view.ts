import type { z } from '@hono/zod-openapi'
import { shortId, statusOf } from '../../accounts/account-status.ts'
import type { KnownAccount } from '../../accounts/accounts.ts'
import { fingerprint } from '../../model/secrets/fingerprint.ts'
import type { Clock } from '../../ports/clock.ts'
import type { TokenService, Validation as Verdict } from '../../ports/token-service.ts'
import type { Status, ValidationSchema } from './schemas.ts'

/**
 * The status of an account for programs, without the token (lib/brokers/upstox/README.md, Mirror). Throws
 * what the stores throw.
 */
export async function statusView(
  known: KnownAccount,
  tokens: TokenService,
  clock: Clock,
): Promise<z.input<typeof Status>> {
  const stored = await tokens.readToken(known.state.account)
  const recorded = recordView(known, clock)
  return {
    ...recorded,
    live: recorded.live && stored !== undefined,
    fingerprint: stored ? fingerprint(stored.accessToken) : null,
  }
}

/** The status by the record alone, without reading the token. Pure but for the clock. */
export function recordView({ broker, state }: KnownAccount, clock: Clock): z.input<typeof Status> {
  const now = clock.now()
  const status = statusOf(broker, state, now)
  const expiresAt = state.accessToken?.expiresAt
  return {
    account_id: shortId(state.account),
    account: status.account,
    state: status.state,
    live: status.live,
    unproven_since: status.unprovenSince,
    summary: status.summary,
    expires_at: status.expiresAt,
    expires_in: expiresAt ? Math.max(0, Math.floor(now.until(expiresAt).total('seconds'))) : null,
    expiry_decided_by: status.expiryDecidedBy,
    issued_at: status.issuedAt,
    last_validated_at: status.provenAt,
    source: status.source,
    generation: status.generation,
    fingerprint: null,
    next_action: status.nextAction,
    login_helps_from: status.loginHelpsFrom,
    last_error: status.lastError,
  }
}

/** The reply about what the broker said of a token. */
export function validationView(verdict: Verdict): z.input<typeof ValidationSchema> {
  const { account, valid, checkedAt, userID, problem } = verdict
  return {
    account_id: shortId(account),
    account,
    valid,
    checked_at: checkedAt,
    user_id: userID,
    error: problem ?? null,
  }
}
