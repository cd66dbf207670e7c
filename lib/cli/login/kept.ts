import type { Temporal } from 'temporal-polyfill'
import type { AccountState } from '../../model/account-state.ts'
import { type LoginTask, recordOf } from './task.ts'

/** Each run repeats the proof for half a minute by itself. */
const MOST_RUNS = 3
/** While somebody waits on after those: a broker that proves nothing is down, and each run asks it for half a minute. */
const PAUSE_SECONDS = 60

/**
 * Has a token that a login brought, and the broker did not prove at once, proven by runs that do nothing else first; gives
 * the record then. Throws what the run throws.
 */
export async function afterProof(task: LoginTask, mostRuns = MOST_RUNS): Promise<AccountState> {
  const { account, broker, composition } = task
  const enabled = composition.brokers.find(({ broker: { id } }) => id === broker.id)
  for (let run = 0; enabled && run < mostRuns && (await recordOf(task)).pending; run++) {
    await composition.run({ broker: enabled, accounts: [account] })
  }
  return recordOf(task)
}

/**
 * The same for somebody who looks again and again: the function does so the first time, and then with one run a minute.
 * It gives the record where it looked.
 */
export function provingMeanwhile(task: LoginTask): () => Promise<AccountState | undefined> {
  const { clock } = task.composition.ports
  let lookedAt: Temporal.Instant | undefined
  return async () => {
    const isFirst = lookedAt === undefined
    if (lookedAt && lookedAt.until(clock.now()).total('seconds') < PAUSE_SECONDS) return undefined
    const record = await afterProof(task, isFirst ? MOST_RUNS : 1)
    lookedAt = clock.now()
    return record
  }
}
