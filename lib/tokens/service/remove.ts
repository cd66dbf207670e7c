import { randomUUID } from 'node:crypto'
import type { AccountId } from '../../model/account-id.ts'
import { SECRET_NAMES, type SecretName } from '../../model/secrets/secret-name.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import { acquireLease } from '../lease/acquire-lease.ts'
import { announceWithdrawn } from '../tell/announce.ts'
import { REMOVAL } from '../transaction/times.ts'

/** Every name an account can have a secret under, in two reads of at most ten, which a vault allows. */
const READS = [SECRET_NAMES.slice(0, 10), SECRET_NAMES.slice(10)]

export interface RemovalJob {
  readonly broker: Broker
  readonly account: AccountId
}

/**
 * Removes an account: the copies of its token, its secrets, its record. The first write pauses it, so that
 * after an interruption no run touches the account and the same call can be repeated. Returns the names of
 * the secrets that were stored. Waits for a run that holds the account.
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
  // All names are removed, since a stale read misses what was written a moment ago; removing an absent secret
  // is no error.
  for (const name of READS.flat()) await vault.remove(account, name)
  await states.remove(account)
  return SECRET_NAMES.filter((name) => found.has(name))
}
