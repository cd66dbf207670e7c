import { Temporal } from 'temporal-polyfill'
import * as z from 'zod/mini'
import type { AccountId } from '../../model/account-id.ts'
import type { AccountState, PendingToken, StateChanges } from '../../model/account-state.ts'
import { isFromTheFuture } from '../../model/clock-tolerance.ts'
import {
  BrokerUnavailableError,
  RateLimitedError,
  StateStoreError,
  type TokenkeeperError,
  TokenVaultError,
  UnexpectedResponseError,
} from '../../model/errors.ts'
import { maskSecrets, Secret } from '../../model/secret.ts'
import type { Renewal } from '../../ports/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import { type Lease, LeaseLostError } from '../lease/lease.ts'

/** What is kept of a token until it can be proven: everything its publication needs, as one JSON text in the vault. */
const Kept = z.object({
  accessToken: z.string(),
  /** Only where it could not be saved before its owner was known (lib/tokens/login/publish-login.ts). */
  refreshToken: z.optional(z.string()),
  session: z.optional(z.string()),
  sentAt: z.string(),
  expiresIn: z.optional(z.number()),
  expiresAt: z.optional(z.string()),
  userId: z.optional(z.string()),
  source: z.enum(['refresh_token', 'credentials', 'upstream', 'login', 'approval']),
})

/** A token that was minted and is to be proven and published yet. */
export interface Pending {
  readonly renewal: Renewal
  readonly source: PendingToken['source']
}

/**
 * Whether a minted token that could not be proven or published is worth keeping (I10): the fault says nothing against
 * the token. A refusal, another user's token and what cannot be a token are verdicts.
 */
export function isWorthKeeping(error: unknown): error is TokenkeeperError {
  return (
    error instanceof BrokerUnavailableError ||
    error instanceof RateLimitedError ||
    error instanceof TokenVaultError ||
    error instanceof StateStoreError ||
    // A proof that is answered in a new way. A token that is none, or dead already, has its field named.
    (error instanceof UnexpectedResponseError && error.status !== undefined)
  )
}

/**
 * Keeps a minted token for the next run. It is put on record first that there is one, since a run reads the name only
 * then; `found` is what else this run has to record. Gives what to record: nothing where the vault took it not.
 * Never throws.
 */
export async function keepPending(
  pending: Pending,
  lease: Lease,
  found: StateChanges,
  ports: Ports,
): Promise<StateChanges> {
  const { renewal, source } = pending
  const { account, accessToken, doubt } = lease.state
  const changes: StateChanges = {
    pending: { mintedAt: renewal.sentAt, source },
    // The next run has to look, whatever is published.
    ...(accessToken && !doubt && { doubt: { since: renewal.sentAt, by: source } }),
  }
  try {
    await lease.keep({ ...found, ...changes })
  } catch (error) {
    // Another run's may lie there by now, and is newer.
    if (error instanceof LeaseLostError) return {}
  }
  try {
    await ports.vault.write(account, 'pending', encoded(pending), {
      deadline: lease.state.lease?.until ?? renewal.sentAt,
    })
    return changes
  } catch (error) {
    ports.telemetry.error('a minted access token could neither be published nor kept', {
      account,
      reason: maskSecrets(error instanceof Error ? error.message : 'unknown'),
    })
    return { ...changes, pending: undefined }
  }
}

/** Removes what was kept, once it is published or refused. A leftover is older than what is published, and ignored. */
export async function dropPending(account: AccountId, ports: Ports): Promise<void> {
  try {
    await ports.vault.remove(account, 'pending')
  } catch (error) {
    const reason = maskSecrets(error instanceof Error ? error.message : 'unknown')
    ports.telemetry.warn('an access token that is no longer needed could not be removed', { account, reason })
  }
}

/** The kept token, unless what is published is newer or of the same age; `undefined` too for what cannot be read. */
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
    // A clock that was ahead must not make what is kept look old.
    isFromTheFuture(accessToken.issuedAt, now) ||
    Temporal.Instant.compare(pending.renewal.sentAt, accessToken.issuedAt) > 0
  return isNewer ? pending : undefined
}

function encoded({ renewal, source }: Pending): Secret {
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
