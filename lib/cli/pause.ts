import type { AccountId } from '../tokens/account-id.ts'
import { changed } from '../tokens/account-state.ts'
import { accountArguments, select } from './account-arguments.ts'
import { type Composition, compose, type GlobalOptions } from './composition.ts'
import { EXIT } from './exit-codes.ts'
import { edit } from './registration.ts'
import type { Terminal } from './terminal.ts'
import { withdrawNow } from './withdraw-now.ts'

/**
 * `tokenkeeper pause` and `resume`: takes accounts out of every run, or puts them back, without a deploy. A broker
 * alone means all its accounts that are registered. Throws UsageError, ConfigurationError, StateStoreError.
 */
export async function setPaused(
  paused: boolean,
  texts: readonly string[],
  options: GlobalOptions,
  terminal: Terminal,
): Promise<number> {
  const composition = await compose(options, terminal)
  try {
    const now = composition.ports.clock.now()
    const done: AccountId[] = []
    for (const account of await accountsOf(texts, composition)) {
      const written = await edit(composition.ports.states, account, (state) =>
        state === undefined || (state.paused !== undefined) === paused
          ? undefined
          : changed(state, { paused: paused ? { since: now } : undefined }),
      )
      if (written) done.push(account)
    }
    if (paused) await withdrawNow(done, composition, terminal)
    const [did, none] = paused ? ['paused', 'nothing to pause'] : ['resumed', 'nothing to resume']
    if (terminal.json) terminal.object({ success: true, [did]: done })
    else terminal.print(done.length > 0 ? `${did}: ${done.join(', ')}` : none)
    return EXIT.ok
  } finally {
    await composition.close()
  }
}

async function accountsOf(texts: readonly string[], composition: Composition): Promise<readonly AccountId[]> {
  const accounts: AccountId[] = []
  for (const { broker, accounts: named } of await select(accountArguments(texts), composition)) {
    if (named) accounts.push(...named)
    else
      for await (const state of composition.ports.states.list(broker.broker.id)) accounts.push(state.account)
  }
  return accounts
}
