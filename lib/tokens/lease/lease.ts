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

/** How often a record is rewritten when a person changes settings in the middle of our run. */
const MERGE_ATTEMPTS = 5

export interface LeaseRequest {
  /** Names this run; no two runs share it. */
  readonly owner: string
  readonly takenAt: Temporal.Instant
  /** The hard deadline of this process: when the lease ends, its holder is dead. */
  readonly until: Temporal.Instant
}

export type Leased =
  | { readonly held: true; readonly lease: Lease }
  | { readonly held: false; readonly current: AccountState | undefined }

/**
 * Takes the right to renew with one conditional write. It fails when anything about the account changed since
 * `state` was read: decide again on what stands there now.
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
    // A write whose answer was lost may have been made: then the lease is ours, and nobody else would use it.
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

/** Changes to a list that others add to as well, worked out on the record they are written over. */
export type ChangesOf = (state: AccountState) => StateChanges

/** Another run has taken over: what this one has found is worth less than what that one finds. */
export class LeaseLostError extends StateStoreError {}

/**
 * The right to renew one account. Writes through it keep what a person changes in the meantime (settings, a
 * pause) and are refused once another run has taken over: the fencing that an expired lock needs.
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

  /** Records changes and keeps the lease. Throws LeaseLostError when it is no longer ours, StateStoreError. */
  async write(changes: StateChanges): Promise<void> {
    if (await this.#write(() => changes)) return
    throw new LeaseLostError('another run took over this account', {
      fix: 'nothing to do: the other run finishes it',
    })
  }

  /** Holds the account for longer, for what must not be lost. Throws StateStoreError when the lease is no longer ours. */
  async extend(until: Temporal.Instant): Promise<void> {
    const { lease } = this.#state
    if (lease) await this.write({ lease: { ...lease, until } })
  }

  /**
   * Records what the run found and gives the lease back in the same write. False when the lease was no longer
   * ours, or the account was removed: the late write was refused.
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

/** A run that died holding the lease may have used any one-time code up to its deadline: none of those is used again. */
function abandonedTotpStep({ lease, totpStep = 0 }: AccountState, now: Temporal.Instant): StateChanges {
  if (!lease) return {}
  // The deadline of a clock that was ahead may be far off; no code of the future was used.
  const end = isBefore(lease.until, now) ? lease.until : now
  return { totpStep: Math.max(totpStep, totpStepOf(end)) }
}
