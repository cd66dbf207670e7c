import type { AccountId } from '../../model/account-id.ts'
import { changed } from '../../model/account-state.ts'
import { compose } from '../backend/composition.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { type WishOptions, wishIn } from './account-arguments.ts'
import { agreed, assertNamed } from './agreed.ts'
import { chosenAccounts } from './chosen-accounts.ts'
import { edit } from './registration.ts'
import { withdrawNow } from './withdraw-now.ts'

export interface PauseOptions extends GlobalOptions, WishOptions {
  /** Do not ask. */
  readonly yes?: boolean
}

/**
 * `tokenkeeper pause` and `resume`: takes accounts out of every run, or puts them back, without a deploy. All of them
 * only after somebody has agreed. Throws UsageError, Cancelled, ConfigurationError, StateStoreError.
 */
export async function setPaused(
  paused: boolean,
  texts: readonly string[],
  options: PauseOptions,
  terminal: Terminal,
): Promise<number> {
  const wish = wishIn(texts, options)
  assertNamed(wish, paused ? 'pause' : 'resume')
  const composition = await compose(options, terminal)
  try {
    const accounts = (await chosenAccounts(wish, composition)).map(({ state }) => state.account)
    if (wish.all && accounts.length > 0) await agreed(paused ? 'pauses' : 'resumes', accounts, options)
    const now = composition.ports.clock.now()
    const done: AccountId[] = []
    for (const account of accounts) {
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
