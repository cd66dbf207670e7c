import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import { type AccountState, newAccountState, type StateChanges } from '../../model/account-state.ts'
import { BusyError, StateStoreError } from '../../model/errors.ts'
import { isBefore } from '../../model/time/instants.ts'
import { localInstant } from '../../model/time/local-time.ts'
import { unknownAccount } from '../../model/unknown-account.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import { heldUntil, isHeld } from '../rules/decide/held.ts'
import { type Lease, type LeaseRequest, takeLease } from './lease.ts'
import { readStored } from './read-stored.ts'

const MOST_ATTEMPTS = 8
const LOOK_AGAIN_MS = 500

/** Who wants to hold which account, until when, and how long to wait for it. */
export interface LeaseWish extends Omit<LeaseRequest, 'takenAt'> {
  readonly broker: Broker
  readonly account: AccountId
  /** Seconds to wait for a run that holds the account. */
  readonly patienceSeconds: number
}

/**
 * What is written along with the lease; or what the caller gets `instead` of the work, and no lease is taken.
 */
export type Prepared<T> = { readonly write: StateChanges } | { readonly instead: T }

/** The lease, or what `prepare` gave in place of it. */
export type Acquired<T> = { readonly lease: Lease } | { readonly instead: T }

/**
 * Takes the lease for somebody who is waiting, and waits up to `patienceSeconds` while another run holds the
 * account. `prepare` is given each record on which the lease is tried; it throws where the work is refused.
 *
 * Throws ConfigurationError for an unknown account, BusyError while another run holds the account,
 * StateStoreError, TokenVaultError and what `prepare` throws.
 */
export async function acquireLease<T>(
  wish: LeaseWish,
  ports: Ports,
  prepare: (state: AccountState) => Prepared<T>,
): Promise<Acquired<T>> {
  const { broker, account, owner, until } = wish
  const { states, clock } = ports
  const waitUntil = clock.now().add({ milliseconds: Math.round(wish.patienceSeconds * 1000) })
  let state = (await states.get(account)) ?? newAccountState(account)
  for (let attempt = 0; attempt < MOST_ATTEMPTS; ) {
    if (state.revision === 0 && (await readStored(ports, broker, state)).size === 0)
      throw unknownAccount(account)
    const prepared = prepare(state)
    if ('instead' in prepared) return prepared
    const { lease } = state
    if (lease && isHeld(lease, clock.now())) {
      if (!isBefore(clock.now(), waitUntil)) throw busy(wish, heldUntil(lease), clock.now())
      await clock.sleep(LOOK_AGAIN_MS)
      state = (await states.get(account)) ?? newAccountState(account)
      continue
    }
    attempt += 1
    const leased = await takeLease(states, state, { owner, takenAt: clock.now(), until }, prepared.write)
    if (leased.held) return { lease: leased.lease }
    state = leased.current ?? newAccountState(account)
  }
  throw new StateStoreError(`${account} kept changing`, { fix: 'try again in a moment' })
}

function busy({ account, broker }: LeaseWish, until: Temporal.Instant, now: Temporal.Instant): BusyError {
  return new BusyError(`another run is working on ${account}`, {
    retryAfterSeconds: Math.ceil(now.until(until).total('seconds')),
    fix: `try again in a moment, at the latest after ${localInstant(until, broker.session.timeZone)}`,
  })
}
