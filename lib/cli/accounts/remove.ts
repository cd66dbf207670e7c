import type { AccountId } from '../../model/account-id.ts'
import { changed } from '../../model/account-state.ts'
import { removeAccount } from '../../tokens/service/remove.ts'
import { type Composition, compose } from '../backend/composition.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { type WishOptions, wishIn } from './account-arguments.ts'
import { agreed, assertNamed } from './agreed.ts'
import { accountsToRemove, brokerOfAccount } from './chosen-accounts.ts'
import { edit } from './registration.ts'
import { withdrawNow } from './withdraw-now.ts'

export interface RemoveOptions extends GlobalOptions, WishOptions {
  /** Do not ask. */
  readonly yes?: boolean
}

/**
 * `tokenkeeper remove`: takes accounts out for good, with their secrets, their record and the copies of their tokens.
 * Asks first. Throws UsageError, Cancelled, TokenkeeperError.
 */
export async function remove(
  texts: readonly string[],
  options: RemoveOptions,
  terminal: Terminal,
): Promise<number> {
  const wish = wishIn(texts, options)
  assertNamed(wish, 'remove')
  const composition = await compose(options, terminal)
  try {
    const accounts = await accountsToRemove(wish, composition)
    const after = ' for good, with every secret stored for it'
    if (accounts.length > 0) await agreed('removes', accounts, { ...options, after })
    const removed = []
    for (const account of accounts) {
      const broker = brokerOfAccount(account)
      if (composition.backend === 'aws') await withdrawPaused(account, composition, terminal)
      const secrets = await removeAccount({ broker, account }, composition.ports)
      removed.push({ account, secrets })
      if (!terminal.json) terminal.print(`${account}: removed${listOf(secrets)}`)
    }
    if (terminal.json) terminal.object({ success: true, removed })
    return EXIT.ok
  } finally {
    await composition.close()
  }
}

/** The mirrors of a stack are written by its functions alone, and what is paused they let the mirrors forget. */
async function withdrawPaused(
  account: AccountId,
  composition: Composition,
  terminal: Terminal,
): Promise<void> {
  const { states, clock } = composition.ports
  const since = clock.now()
  await edit(states, account, (state) =>
    state === undefined || state.paused ? undefined : changed(state, { paused: { since } }),
  )
  await withdrawNow([account], composition, terminal)
}

function listOf(secrets: readonly string[]): string {
  return secrets.length === 0 ? '' : `, with ${secrets.join(', ')}`
}
