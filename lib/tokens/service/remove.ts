import type { AccountId } from '../../model/account-id.ts'
import { SECRET_NAMES, type SecretName } from '../../model/secret-name.ts'
import type { Broker } from '../../ports/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import { acquireLease } from '../lease/acquire-lease.ts'
import { withdraw } from '../tell/announce.ts'

/** Removing a dozen secrets takes seconds; a removal that died is taken up again after this. */
const REMOVAL_SECONDS = 120
/** A run that is at the account ends within its broker call. */
const PATIENCE_SECONDS = 60

/** Every name an account may have a secret under, as many at a time as a vault reads. */
const READS = [SECRET_NAMES.slice(0, 10), SECRET_NAMES.slice(10)]

export interface RemovalJob {
  readonly broker: Broker
  readonly account: AccountId
  /** Names this removal; no two share it. */
  readonly owner: string
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
  const { broker, account, owner } = job
  const { vault, states, clock } = ports
  const now = clock.now()
  await acquireLease(
    {
      broker,
      account,
      owner,
      until: now.add({ seconds: REMOVAL_SECONDS }),
      patienceSeconds: PATIENCE_SECONDS,
    },
    ports,
    ({ paused }) => ({ paused: paused ?? { since: now } }),
  )
  await withdraw(account, ports)
  const found = new Set<SecretName>()
  for (const names of READS) for (const name of (await vault.read(account, names)).keys()) found.add(name)
  // A stale read misses what was written a moment ago; to remove what is not there is no error.
  for (const name of READS.flat()) await vault.remove(account, name)
  await states.remove(account)
  return SECRET_NAMES.filter((name) => found.has(name))
}
