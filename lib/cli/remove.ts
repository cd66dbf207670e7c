import { randomUUID } from 'node:crypto'
import { brokerNamed } from '../brokers/index.ts'
import { type AccountId, brokerOf } from '../tokens/account-id.ts'
import { changed } from '../tokens/account-state.ts'
import { removeAccount } from '../tokens/remove.ts'
import { accountArguments } from './account-arguments.ts'
import { Cancelled } from './cancelled.ts'
import { type Composition, compose, type GlobalOptions } from './composition.ts'
import { EXIT } from './exit-codes.ts'
import { agree } from './prompts.ts'
import { edit } from './registration.ts'
import type { Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'
import { withdrawNow } from './withdraw-now.ts'

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
      if (composition.backend === 'aws') await withdrawPaused(account, composition, terminal)
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
