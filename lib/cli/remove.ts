import { randomUUID } from 'node:crypto'
import { brokerNamed } from '../brokers/index.ts'
import { type AccountId, brokerOf } from '../tokens/account-id.ts'
import { removeAccount } from '../tokens/remove.ts'
import { accountArguments } from './account-arguments.ts'
import { Cancelled } from './cancelled.ts'
import { compose, type GlobalOptions } from './composition.ts'
import { EXIT } from './exit-codes.ts'
import { agree } from './prompts.ts'
import type { Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

export interface RemoveOptions extends GlobalOptions {
  /** Do not ask. */
  readonly yes?: boolean
}

/**
 * `tokenkeeper remove`: takes accounts out for good, with their secrets, their record and the copies of their tokens.
 * A broker alone means its default account and no other. Throws UsageError, Cancelled, TokenkeeperError.
 */
export async function remove(
  texts: readonly string[],
  options: RemoveOptions,
  terminal: Terminal,
): Promise<number> {
  const accounts = accountArguments(texts)
  if (!options.yes) await confirm(accounts)
  const composition = await compose(options, terminal)
  try {
    const removed = []
    for (const account of accounts) {
      const broker = brokerNamed(brokerOf(account))
      const secrets = await removeAccount(
        { broker, account, owner: `remove/${randomUUID()}` },
        composition.ports,
      )
      removed.push({ account, secrets })
      if (!terminal.json) terminal.print(`${account}: removed${listOf(secrets)}`)
    }
    if (terminal.json) terminal.object({ success: true, removed })
    return EXIT.ok
  } finally {
    await composition.close()
  }
}

/** Throws Cancelled when the answer is no; UsageError where nobody can be asked. */
async function confirm(accounts: readonly AccountId[]): Promise<void> {
  const what = accounts.join(', ')
  if (!process.stdin.isTTY) {
    throw new UsageError(`this removes ${what} for good`, 'add --yes where nobody can be asked')
  }
  if (!(await agree(`Remove ${what} for good, with every secret stored for it?`, false))) {
    throw new Cancelled()
  }
}

function listOf(secrets: readonly string[]): string {
  return secrets.length === 0 ? '' : `, with ${secrets.join(', ')}`
}
