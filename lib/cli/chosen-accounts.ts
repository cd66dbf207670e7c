import { type KnownAccount, knownAccounts } from '../site/accounts.ts'
import type { AccountId } from '../tokens/account-id.ts'
import { ConfigurationError } from '../tokens/errors.ts'
import { select } from './account-arguments.ts'
import type { Composition } from './composition.ts'

/**
 * The registered accounts a command means, in the order they were named in; all where none is named. Throws
 * ConfigurationError for one that is not set up or whose broker is switched off, StateStoreError.
 */
export async function chosenAccounts(
  accounts: readonly AccountId[],
  composition: Composition,
): Promise<readonly KnownAccount[]> {
  const known: KnownAccount[] = []
  for (const { broker, accounts: wanted } of await select(accounts, composition)) {
    const all = await knownAccounts([broker.broker], composition.ports.states)
    const named = (account: AccountId): KnownAccount => {
      const found = all.find(({ state }) => state.account === account)
      if (found) return found
      throw new ConfigurationError(`${account} is not set up`, {
        fix: `check the spelling, or run tokenkeeper setup ${account}`,
      })
    }
    known.push(...(wanted ? wanted.map(named) : all))
  }
  return known
}
