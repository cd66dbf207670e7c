import { setTimeout as pause } from 'node:timers/promises'
import type { AccountState } from '../../model/account-state.ts'
import { endOfResult, endOfSuccess, type LoginEnd } from './end.ts'
import { type LoginTask, recordOf } from './task.ts'

const POLL_MS = 2_000

/**
 * Watches an account's record until somebody has logged in elsewhere, on the login page or in the broker's app.
 * Records are compared with the one of before, never with this machine's clock. `onFailure` is told of logins that
 * failed meanwhile: the person may well try again. Resolves with nothing when the signal is aborted.
 */
export async function watchForLogin(
  task: LoginTask,
  before: AccountState,
  { signal, onFailure }: { readonly signal: AbortSignal; readonly onFailure: (end: LoginEnd) => void },
): Promise<LoginEnd | undefined> {
  const { broker, composition } = task
  const told = new Set(endedLogins(before))
  let prove: (() => Promise<AccountState | undefined>) | undefined
  while (!signal.aborted) {
    const record = await recordOf(task)
    const now = composition.ports.clock.now()
    if (record.generation > before.generation) return endOfSuccess(broker, record, now)
    // Approved or logged in, and not proven: nobody need wait for the next scheduled run.
    if (record.pending && !before.pending) {
      prove ??= (await import('./kept.ts')).provingMeanwhile(task)
      const proven = await prove()
      if (proven && proven.generation > before.generation) continue
    }
    for (const { id, result } of record.logins ?? []) {
      if (!result || told.has(id)) continue
      told.add(id)
      if (!result.success) onFailure(endOfResult(broker, record, result, now))
    }
    await pause(POLL_MS, undefined, { signal }).catch(() => undefined)
  }
  return undefined
}

function endedLogins({ logins = [] }: AccountState): readonly string[] {
  return logins.flatMap(({ id, result }) => (result ? [id] : []))
}
