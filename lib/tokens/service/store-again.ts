import type { AccountId } from '../../model/account-id.ts'
import { TokenVaultError } from '../../model/errors.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import type { StoredSecret, TokenVault } from '../../ports/token-vault.ts'
import { untilRecorded } from '../lease/until-recorded.ts'
import { afterStoredAgain } from '../rules/grants/stored-again.ts'
import { STORING_AGAIN } from '../transaction/times.ts'
import { underLease } from '../transaction/under-lease.ts'

/** SSM shows a write to everybody within a second or so. */
const LOOKS = 10
const LOOK_AGAIN_MS = 300

export interface StoringAgain {
  readonly broker: Broker
  readonly account: AccountId
  readonly names: readonly SecretName[]
  /** Waited for before each write, to stay within what the vault takes. */
  readonly turn: () => Promise<void>
}

/**
 * Stores secrets of an account again as they are, which encrypts them under the vault's present key. It holds the account's
 * lease, so that no run renews in between, and each secret is on record before the next one: whatever interrupts this,
 * everything stays readable, and the same call again does the rest. Gives the names of what was stored.
 *
 * Throws ConfigurationError for an unknown account, BusyError while a run holds it, TokenVaultError, StateStoreError.
 */
export async function storeAgain(job: StoringAgain, ports: Ports): Promise<readonly SecretName[]> {
  const { broker, account, names, turn } = job
  const { vault, clock } = ports
  const wish = { broker, account, times: STORING_AGAIN, prepare: () => ({ write: {} }) }
  return underLease(wish, ports, async (tx) => {
    // Refuses what is older than the record, which must not be stored over what is newer.
    await tx.readSecrets()
    const done: SecretName[] = []
    for (const name of names) {
      await turn()
      const again = await rewritten(vault, account, name, (ms) => clock.sleep(ms))
      if (!again) continue
      // A block whose stamp is not moved along would be lifted: the record is tried for as long as the lease stands.
      const { before, after } = again
      await untilRecorded(() => tx.write(afterStoredAgain(tx.state, name, before, after)), tx.endsAt, clock)
      done.push(name)
    }
    return { result: done }
  })
}

/**
 * Stores one secret again as it is; for what belongs to an account, under its lease only. `undefined` where there is none.
 * Throws TokenVaultError.
 */
export async function rewritten(
  vault: TokenVault,
  account: AccountId,
  name: SecretName,
  sleep: (ms: number) => Promise<void>,
): Promise<{ readonly before: StoredSecret; readonly after: StoredSecret } | undefined> {
  // Read at the last moment: a person may store another value while this goes on.
  const before = (await vault.read(account, [name])).get(name)
  if (!before) return undefined
  const { version } = await vault.write(account, name, before.value).catch(async (error: unknown) => {
    // A write whose answer was lost may have been made: then it has to be put on record like any other.
    const present = (await vault.read(account, [name])).get(name)
    if (present?.version !== before.version + 1 || !present.value.equals(before.value)) throw error
    return present
  })
  if (version !== before.version + 1) {
    throw new TokenVaultError(
      `${name} of ${account} was stored by somebody else at the same moment, and that value is overwritten`,
      { during: 'write', fix: `store it once more: tokenkeeper put ${account} ${name}` },
    )
  }
  for (let look = 0; look < LOOKS; look++) {
    const after = (await vault.read(account, [name])).get(name)
    if (after?.version === version) return { before, after }
    await sleep(LOOK_AGAIN_MS)
  }
  throw new TokenVaultError(`${name} of ${account} was stored again and cannot be read back`, {
    during: 'read',
    fix: 'look at it with tokenkeeper doctor, and repeat this',
  })
}
