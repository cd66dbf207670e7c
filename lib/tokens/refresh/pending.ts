import type { StateChanges } from '../../model/account-state.ts'
import { maskSecrets } from '../../model/secrets/secret.ts'
import { LeaseLostError } from '../lease/lease.ts'
import { encodedPending, type Pending } from '../rules/token/pending-token.ts'
import type { Transaction } from '../transaction/transaction.ts'

/**
 * Keeps a minted token for the next run; false where that was not possible. The record is written first, with
 * whatever else was noted, since a run looks for a pending token only where the record has one. Never throws.
 */
export async function keepPending(tx: Transaction, pending: Pending): Promise<boolean> {
  const { renewal, source } = pending
  const { account, ports } = tx
  const { accessToken, doubt, lease } = tx.state
  const changes: StateChanges = {
    pending: { mintedAt: renewal.sentAt, source },
    // The doubt makes the next run look for it.
    ...(accessToken && !doubt && { doubt: { since: renewal.sentAt, by: source } }),
  }
  try {
    await tx.write(changes)
  } catch (error) {
    // The other run may have kept a newer token, which must not be replaced.
    if (error instanceof LeaseLostError) return false
  }
  tx.note(changes)
  try {
    await ports.vault.write(account, 'pending', encodedPending(pending), {
      deadline: lease?.until ?? renewal.sentAt,
    })
    return true
  } catch (error) {
    ports.telemetry.error('a minted access token could neither be published nor kept', {
      account,
      reason: maskSecrets(error instanceof Error ? error.message : 'unknown'),
    })
    tx.note({ pending: undefined })
    return false
  }
}

/**
 * Removes the pending token from the vault, once it is published or refused. Never throws: one that is left
 * over is older than the published token, and ignored.
 */
export async function dropPending({ account, ports }: Transaction): Promise<void> {
  try {
    await ports.vault.remove(account, 'pending')
  } catch (error) {
    const reason = maskSecrets(error instanceof Error ? error.message : 'unknown')
    ports.telemetry.warn('an access token that is no longer needed could not be removed', { account, reason })
  }
}
