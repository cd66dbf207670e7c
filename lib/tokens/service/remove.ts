import { randomUUID } from 'node:crypto'
import type { AccountId } from '../../model/account-id.ts'
import { SECRET_NAMES, type SecretName } from '../../model/secret-name.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import { acquireLease } from '../lease/acquire-lease.ts'
import { announceWithdrawn } from '../tell/announce.ts'
import { REMOVAL } from '../transaction/times.ts'

/** Every name an account may have a secret under, as many at a time as a vault reads. */
const READS = [SECRET_NAMES.slice(0, 10), SECRET_NAMES.slice(10)]

export interface RemovalJob {
  readonly broker: Broker
  readonly account: AccountId
}

/**
 * Removes an account: copies of its token, its secrets, its record. It is paused by the first write, so that whatever
 * interrupts the removal leaves an account no run touches, and the same call again ends it. Gives the names of the
 * secrets there were.
 *
 * Throws ConfigurationError for an unknown account, BusyError while a run holds it, TokenVaultError,
 * StateStoreError.
 */
export async function removeAccount(job: RemovalJob, ports: Ports): Promise<readonly SecretName[]> {
  const { broker, account } = job
  const { vault, states, clock } = ports
  const { name, leaseSeconds, patienceSeconds } = REMOVAL
  const now = clock.now()
  const until = now.add({ seconds: leaseSeconds })
  const owner = `${name}/${randomUUID()}`
  await acquireLease({ broker, account, owner, until, patienceSeconds }, ports, ({ paused }) => ({
    write: { paused: paused ?? { since: now } },
  }))
  await announceWithdrawn(account, ports)
  const found = new Set<SecretName>()
  for (const names of READS) for (const name of (await vault.read(account, names)).keys()) found.add(name)
  // A stale read misses what was written a moment ago; to remove what is not there is no error.
  for (const name of READS.flat()) await vault.remove(account, name)
  await states.remove(account)
  return SECRET_NAMES.filter((name) => found.has(name))
}
