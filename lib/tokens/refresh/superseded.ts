import type { AccountState } from '../../model/account-state.ts'
import { StateStoreError } from '../../model/errors.ts'
import type { Secret } from '../../model/secret.ts'
import { isBefore } from '../../model/time/instants.ts'
import type { Ports } from '../../ports/ports.ts'
import type { StoredSecret } from '../../ports/token-vault.ts'
import { LeaseLostError } from '../lease/lease.ts'
import { isHeld } from '../rules/decide/held.ts'
import type { RunContext } from '../transaction/broker-context.ts'
import type { Transaction } from '../transaction/transaction.ts'

const LOOK_AGAIN_MS = 500

/**
 * To be called before a refresh token is written. A process that was frozen may wake when its lease is over and
 * another run has got a newer refresh token: throws LeaseLostError then, since the later run's is the one to
 * keep. While another run is at work its end is waited for, which may bring a newer one; where none was stored, what
 * the broker has issued is not thrown away. Throws TokenVaultError.
 */
export async function assertNotSuperseded(tx: Transaction, refreshToken: Secret): Promise<void> {
  const { account, context, ports, state } = tx
  const known = [refreshToken, context.optional('refresh_token')]
  const { lease } = state
  if (!lease || isInTime(lease, context)) return
  for (;;) {
    // The record first: a run that ends in between has written its refresh token before.
    const present = await ports.states.get(account).catch(passing)
    const stored = (await ports.vault.read(account, ['refresh_token'])).get('refresh_token')
    if (isNewer(present, stored, state, known)) throw superseded(ports, state)
    const others = present?.lease
    if (!others || others.owner === lease.owner || !isHeld(others, ports.clock.now())) return
    await ports.clock.sleep(LOOK_AGAIN_MS)
  }
}

/** A record out of reach is no reason to lose what the broker has issued; the vault still tells. */
function passing(error: unknown): undefined {
  if (!(error instanceof StateStoreError)) throw error
}

/** Whether the lease surely stands; before its beginning our clock was set back, and nobody knows. */
function isInTime({ takenAt }: NonNullable<AccountState['lease']>, { clock, deadline }: RunContext): boolean {
  const now = clock.now()
  if (takenAt && isBefore(now, takenAt)) return false
  return isBefore(now, deadline)
}

/** Whether another refresh token was stored since this run has read its own: as the vault shows it, or the record. */
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
