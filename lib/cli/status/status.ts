import { statusOf } from '../../accounts/account-status.ts'
import { type WishOptions, wishIn } from '../accounts/account-arguments.ts'
import { chosenAccounts } from '../accounts/chosen-accounts.ts'
import { compose } from '../backend/composition.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { type Entry, NOTHING, statusText } from './status-text.ts'

export interface StatusOptions extends GlobalOptions, WishOptions {
  /** Seconds between two looks; `true` for the usual ones. */
  readonly watch?: number | true
}

/** `tokenkeeper status`: what is known of each account, without asking any broker and without showing a token. */
export async function status(
  texts: readonly string[],
  options: StatusOptions,
  terminal: Terminal,
): Promise<number> {
  const wish = wishIn(texts, options)
  const composition = await compose(options, terminal)
  const read = async (): Promise<readonly Entry[]> => {
    const known = await chosenAccounts(wish, composition)
    const now = composition.ports.clock.now()
    return known.map(({ broker, state }) => [statusOf(broker, state, now), broker.session.timeZone])
  }
  try {
    if (options.watch !== undefined) {
      const seconds = options.watch === true ? undefined : options.watch
      return await (await import('./watch.ts')).watch({ read, seconds, composition, terminal })
    }
    const entries = await read()
    if (terminal.json) terminal.object({ accounts: entries.map(([one]) => one) })
    else if (entries.length === 0) terminal.note(NOTHING)
    else terminal.print(statusText(entries, terminal))
    return EXIT.ok
  } finally {
    await composition.close()
  }
}
