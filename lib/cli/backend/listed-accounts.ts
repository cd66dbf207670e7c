import { ALL_BROKERS } from '../../brokers/index.ts'
import { type AccountId, parseAccountId } from '../../model/account-id.ts'
import { changed, newAccountState } from '../../model/account-state.ts'
import { ConfigurationError } from '../../model/errors.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { StateStore } from '../../ports/state-store.ts'

/**
 * The accounts that a broker's own variable lists: `UPSTOX_ACCOUNT_IDS=ACC1,ACC2`. Blanks and empty entries do not
 * matter (lib/brokers/upstox/README.md, Token service). Throws ConfigurationError for one named twice.
 */
export function listedAccounts(
  { id, guide }: Pick<Broker, 'id' | 'guide'>,
  env: Readonly<Record<string, string | undefined>>,
): readonly AccountId[] {
  const variable = guide?.accountsVariable
  if (variable === undefined) return []
  const names = (env[variable] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw new ConfigurationError(`${variable} names ${twice} twice`, {
      fix: `remove one of them from ${variable}`,
    })
  }
  return names.map((name) => parseAccountId(`${id}/${name}`))
}

/** Registers those accounts of every broker that are not yet known. Throws ConfigurationError, StateStoreError. */
export async function registerListedAccounts(
  env: Readonly<Record<string, string | undefined>>,
  states: StateStore,
): Promise<void> {
  for (const account of ALL_BROKERS.flatMap((broker) => listedAccounts(broker, env))) {
    if ((await states.get(account)) === undefined) await states.replace(changed(newAccountState(account), {}))
  }
}
