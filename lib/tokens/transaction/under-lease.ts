import { randomUUID } from 'node:crypto'
import type { AccountId } from '../../model/account-id.ts'
import type { AccountState, LastRun } from '../../model/account-state.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import { acquireLease, type Prepared } from '../lease/acquire-lease.ts'
import type { ChangesOf } from '../lease/lease.ts'
import type { ActionNeeded } from '../rules/outcome/action-needed.ts'
import { announce } from '../tell/announce.ts'
import { tell, toldIncident } from '../tell/incident.ts'
import type { WorkTimes } from './times.ts'
import { Transaction } from './transaction.ts'

/** The work that somebody asks for on one account. */
export interface Wish<T> {
  readonly broker: Broker
  readonly account: AccountId
  readonly times: WorkTimes
  /** Is given each record on which the lease is tried. Throws where the work is refused. */
  readonly prepare: (state: AccountState) => Prepared<T>
}

/** How the work on one account ended. */
export interface Ended<T> {
  /** What the caller gets. */
  readonly result: T
  /**
   * What a person has to be told; `solved` where nothing is needed any more. @default - nobody is told
   * anything
   */
  readonly people?: ActionNeeded | 'solved' | undefined
  readonly last?: LastRun | undefined
  /** Changes to lists that others add to as well, so they are worked out on the very record they replace. */
  readonly changesOf?: ChangesOf
}

/**
 * Works on one account for somebody who waits: takes the lease, does the work, and ends it as {@link
 * inTransaction} does. Throws ConfigurationError for an unknown account, BusyError while another run holds
 * it, StateStoreError, and whatever `prepare` and the work throw.
 */
export async function underLease<T>(
  wish: Wish<T>,
  ports: Ports,
  work: (tx: Transaction) => Promise<Ended<T>>,
): Promise<T> {
  const { broker, account, times } = wish
  const now = ports.clock.now()
  const processEnd = now.add({ seconds: times.leaseSeconds })
  const deadline = now.add({ seconds: times.workSeconds })
  const owner = `${times.name}/${randomUUID()}`
  const { patienceSeconds } = times
  const acquired = await acquireLease(
    { broker, account, owner, until: processEnd, patienceSeconds },
    ports,
    wish.prepare,
  )
  if ('instead' in acquired) return acquired.instead
  const { lease } = acquired
  return inTransaction(new Transaction({ broker, lease, deadline, processEnd, ports }), work)
}

/**
 * Does the work and ends it in the one order in which nothing is lost: what was found is recorded, then a
 * person is told of it, then it is recorded that they were told. The lease is given back whatever happened.
 * Subscribers hear of a new token while the record is written. Throws what the work throws, and
 * StateStoreError.
 */
export async function inTransaction<T>(
  tx: Transaction,
  work: (tx: Transaction) => Promise<Ended<T>>,
): Promise<T> {
  let ended: Ended<T> | undefined
  try {
    ended = await work(tx)
    await tellPeople(tx, ended.people)
    return ended.result
  } finally {
    await recordAndAnnounce(tx, ended)
  }
}

async function tellPeople(tx: Transaction, people: ActionNeeded | 'solved' | undefined): Promise<void> {
  if (people === undefined) return
  const need = people === 'solved' ? undefined : people
  // Recorded before the message is sent, because sending can outlast this process, and an unrecorded block
  // does not hold.
  if (need && !toldIncident(tx.state, need.kind)) await tx.write().catch(() => undefined)
  tx.note({ incident: await tell(tx.broker, tx.state, need, tx.ports) })
}

async function recordAndAnnounce<T>(tx: Transaction, ended: Ended<T> | undefined): Promise<void> {
  const { account, ports, publications } = tx
  // Mirrors hold no token of a paused account, even one that was handed in for later.
  const announced = announce(tx.state.paused ? [] : publications, ports)
  try {
    if (ended?.last) tx.note({ last: ended.last })
    const released = await tx.release(ended?.changesOf)
    if (!released) ports.telemetry.warn('another run took over before the outcome was recorded', { account })
  } finally {
    await announced
  }
}
