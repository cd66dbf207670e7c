import type { AccountState } from '../../model/account-state.ts'
import { type LoginTask, recordOf } from './task.ts'

/** Each run repeats the proof for half a minute by itself. */
const MOST_RUNS = 3

/**
 * Has a token that a login brought, and the broker did not prove at once, proven by runs that do nothing else first; gives
 * the record then. Throws what the run throws.
 */
export async function afterProof(task: LoginTask): Promise<AccountState> {
  const { account, broker, composition } = task
  const enabled = composition.brokers.find(({ broker: { id } }) => id === broker.id)
  for (let run = 0; enabled && run < MOST_RUNS && (await recordOf(task)).pending; run++) {
    await composition.run({ broker: enabled, accounts: [account] })
  }
  return recordOf(task)
}
