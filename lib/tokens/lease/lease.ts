import { isDeepStrictEqual } from 'node:util'
import type { Temporal } from 'temporal-polyfill'
import {
  type AccountState,
  changed,
  encodeAccountState,
  type StateChanges,
} from '../../model/account-state.ts'
import { StateStoreError } from '../../model/errors.ts'
import { isBefore } from '../../model/time/instants.ts'
import type { StateStore } from '../../ports/state-store.ts'
import { totpStepOf } from '../rules/grants/totp-step.ts'

/** How often a write is tried while a person changes settings during our run. */
const MERGE_ATTEMPTS = 5

/** Who takes the lease, when, and until when. */
export interface LeaseRequest {
  /** Names this run; no two runs share it. */
  readonly owner: string
  readonly takenAt: Temporal.Instant
  /** When the lease ends. Its holder makes no broker call after it, and extends it where it needs longer. */
  readonly until: Temporal.Instant
}

/**
 * The lease; or `current`, the record that another writer has stored, `undefined` where the account was
 * removed.
 */
export type Leased =
  | { readonly held: true; readonly lease: Lease }
  | { readonly held: false; readonly current: AccountState | undefined }

/**
 * Takes the lease with one conditional write, and writes `changes` along with it. `held` is false where the
 * record has changed since `state` was read: decide again on `current`. Does not wait. Throws
 * StateStoreError.
 */
export async function takeLease(
  states: StateStore,
  state: AccountState,
  request: LeaseRequest,
  changes: StateChanges = {},
): Promise<Leased> {
  const next = changed(state, {
    ...changes,
    ...abandonedTotpStep(state, request.takenAt),
    lease: { owner: request.owner, takenAt: request.takenAt, until: request.until },
  })
  const replaced = await states.replace(next).catch(async (error: unknown) => {
    // The write may have been made although its answer was lost: then the lease is ours.
    const current = await states.get(state.account).catch(() => undefined)
    if (current && isDeepStrictEqual(encodeAccountState(current), encodeAccountState(next))) {
      return { written: true } as const
    }
    throw error
  })
  return replaced.written
    ? { held: true, lease: new Lease(states, next) }
    : { held: false, current: replaced.current }
}

/** Changes to a list that others add to as well, so they are worked out on the very record they replace. */
export type ChangesOf = (state: AccountState) => StateChanges

/** Another run has taken the lease: what this run found must not be written over what that run finds. */
export class LeaseLostError extends StateStoreError {}

/**
 * The right to change one account. A write through it keeps what a person has changed meanwhile (settings, a
 * pause), and is refused once another run has taken over: an expired lock needs such fencing.
 */
export class Lease {
  readonly #states: StateStore
  #state: AccountState

  constructor(states: StateStore, state: AccountState) {
    this.#states = states
    this.#state = state
  }

  get state(): AccountState {
    return this.#state
  }

  /**
   * Records changes and keeps the lease. Throws LeaseLostError when another run has it, the account was
   * removed or its record kept changing; StateStoreError.
   */
  async write(changes: StateChanges): Promise<void> {
    if (await this.#write(() => changes)) return
    throw new LeaseLostError('another run took over this account', {
      fix: 'nothing to do: the other run finishes it',
    })
  }

  /**
   * Moves the end of the lease to `until`, so that what must not be lost can still be written. Throws as
   * `write` does.
   */
  async extend(until: Temporal.Instant): Promise<void> {
    const { lease } = this.#state
    if (lease) await this.write({ lease: { ...lease, until } })
  }

  /**
   * Records what the run found and gives the lease back in the same write. False when nothing was written:
   * another run has the lease, the account was removed, or its record kept changing. Throws StateStoreError.
   */
  async release(changesOf: ChangesOf): Promise<boolean> {
    return this.#write((state) => ({ ...changesOf(state), lease: undefined }))
  }

  async #write(changesOf: ChangesOf): Promise<boolean> {
    const owner = this.#state.lease?.owner
    for (let attempt = 0; attempt < MERGE_ATTEMPTS; attempt++) {
      const next = changed(this.#state, changesOf(this.#state))
      const replaced = await this.#states.replace(next)
      if (replaced.written) {
        this.#state = next
        return true
      }
      if (replaced.current === undefined || replaced.current.lease?.owner !== owner) return false
      this.#state = replaced.current
    }
    return false
  }
}

/**
 * A run that died holding the lease may have used any one-time code up to the lease's end: none of those is
 * used again.
 */
function abandonedTotpStep({ lease, totpStep = 0 }: AccountState, now: Temporal.Instant): StateChanges {
  if (!lease) return {}
  // A lease written by a clock that was ahead may end far in the future; a code of the future was not used.
  const end = isBefore(lease.until, now) ? lease.until : now
  return { totpStep: Math.max(totpStep, totpStepOf(end)) }
}
