import type { AccountState } from '../../model/account-state.ts'
import { StateStoreError } from '../../model/errors.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import { isBefore } from '../../model/time/instants.ts'
import type { Ports } from '../../ports/ports.ts'
import type { StoredSecret } from '../../ports/token-vault.ts'
import { LeaseLostError } from '../lease/lease.ts'
import { isHeld } from '../rules/decide/held.ts'
import type { RunContext } from '../transaction/broker-context.ts'
import type { Transaction } from '../transaction/transaction.ts'

const LOOK_AGAIN_MS = 500

/**
 * Called before a refresh token is written. A process that was frozen may wake up after its lease, when
 * another run has stored a newer refresh token: throws LeaseLostError then, since the newer one must be kept.
 * While another run is at work, waits for its end, since it may store a newer one. Where it has stored none,
 * this one is written. Throws TokenVaultError.
 */
export async function assertNotSuperseded(tx: Transaction, refreshToken: Secret): Promise<void> {
  const { account, context, ports, state } = tx
  const known = [refreshToken, context.optional('refresh_token')]
  const { lease } = state
  if (!lease || isInTime(lease, context)) return
  for (;;) {
    // The record is read first: a run that ends between the two reads has written its refresh token before.
    const present = await ports.states.get(account).catch(passing)
    const stored = (await ports.vault.read(account, ['refresh_token'])).get('refresh_token')
    if (isNewer(present, stored, state, known)) throw superseded(ports, state)
    const others = present?.lease
    if (!others || others.owner === lease.owner || !isHeld(others, ports.clock.now())) return
    await ports.clock.sleep(LOOK_AGAIN_MS)
  }
}

/**
 * A fault of the state store must not lose the refresh token that the broker has issued; the vault is still
 * looked at.
 */
function passing(error: unknown): undefined {
  if (!(error instanceof StateStoreError)) throw error
}

/**
 * Whether the lease certainly still holds. A time before it was taken means that our clock was set back: then
 * it is not known.
 */
function isInTime({ takenAt }: NonNullable<AccountState['lease']>, { clock, deadline }: RunContext): boolean {
  const now = clock.now()
  if (takenAt && isBefore(now, takenAt)) return false
  return isBefore(now, deadline)
}

/** Whether another refresh token was stored since this run read its own, by the vault or by the record. */
function isNewer(
  present: AccountState | undefined,
  stored: StoredSecret | undefined,
  state: AccountState,
  known: readonly (Secret | undefined)[],
): boolean {
  const ours = state.refreshToken?.version
  if (present && present.refreshToken?.version !== ours) return true
  if (stored === undefined || stored.version === ours) return false
  return known.every((secret) => secret?.reveal() !== stored.value.reveal())
}

function superseded({ telemetry }: Ports, { account }: AccountState): LeaseLostError {
  telemetry.warn('a refresh token came too late and was given up: another run has stored a newer one', {
    account,
  })
  return new LeaseLostError(
    'this run outlived its lease, and gave its refresh token up for the newer one of another run',
    { fix: 'nothing to do: the newer one is kept' },
  )
}
