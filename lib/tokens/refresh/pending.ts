import type { AccountId } from '../../model/account-id.ts'
import type { StateChanges } from '../../model/account-state.ts'
import { maskSecrets } from '../../model/secret.ts'
import type { Ports } from '../../ports/ports.ts'
import { type Lease, LeaseLostError } from '../lease/lease.ts'
import { encodedPending, type Pending } from '../rules/pending-token.ts'

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
    await ports.vault.write(account, 'pending', encodedPending(pending), {
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
