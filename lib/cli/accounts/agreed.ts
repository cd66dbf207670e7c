import type { AccountId } from '../../model/account-id.ts'
import { Cancelled } from '../terminal/cancelled.ts'
import { agree } from '../terminal/prompts.ts'
import { UsageError } from '../terminal/usage-error.ts'
import type { AccountsWish } from './account-arguments.ts'

/** As many names as fit into a question. */
const NAMED = 6

/** Throws UsageError where a command that nothing takes back was given no account, and not all either. */
export function assertNamed({ accounts, all }: AccountsWish, command: string): void {
  if (all || accounts.length > 0) return
  throw new UsageError(`which accounts to ${command} is not said`, `name them, or take all: --all`)
}

/**
 * Asks before something is done to these accounts; `deed` is what this command does: "removes". Throws Cancelled when
 * the answer is no; UsageError where nobody can be asked.
 */
export async function agreed(
  deed: string,
  accounts: readonly AccountId[],
  { yes = false, after = '' }: { readonly yes?: boolean | undefined; readonly after?: string },
): Promise<void> {
  if (yes) return
  const shown = accounts.slice(0, NAMED).join(', ')
  const more = accounts.length - NAMED
  const what = more > 0 ? `${accounts.length} accounts (${shown} and ${more} more)` : shown
  const sentence = `this ${deed} ${what}${after}`
  if (!process.stdin.isTTY) throw new UsageError(sentence, 'add --yes where nobody can be asked')
  if (!(await agree(`${sentence[0]?.toUpperCase()}${sentence.slice(1)}. Go on?`, false)))
    throw new Cancelled()
}
