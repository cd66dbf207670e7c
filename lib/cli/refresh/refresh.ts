import { Temporal } from 'temporal-polyfill'
import { BROKER_IDS } from '../../brokers/index.ts'
import { type AccountId, brokerOf } from '../../model/account-id.ts'
import { newAccountState } from '../../model/account-state.ts'
import { type AccountResult, type RunReport, report } from '../../model/outcome.ts'
import { localInstant } from '../../model/time/local-time.ts'
import { reportLine } from '../../tokens/rules/outcome/report-line.ts'
import { resultOfError } from '../../tokens/rules/outcome/run-result.ts'
import { type WishOptions, wishIn } from '../accounts/account-arguments.ts'
import { type Selection, selectionsIn } from '../accounts/chosen-accounts.ts'
import { type Composition, compose } from '../backend/composition.ts'
import { registerListedAccounts } from '../backend/listed-accounts.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { EXIT, exitCodeOfRun } from '../terminal/exit-codes.ts'
import { outcomeCell } from '../terminal/outcome-words.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { textTable } from '../terminal/text-table.ts'
import { RefreshProgress } from './progress.ts'

export interface RefreshOptions extends GlobalOptions, WishOptions {
  readonly force?: boolean
}

/** After Ctrl-C an account in progress gets this long to end well. */
const FAREWELL_MS = 5_000

/** `tokenkeeper refresh`: one run over the named accounts, or all. The exit code tells how it went. */
export async function refresh(
  texts: readonly string[],
  options: RefreshOptions,
  terminal: Terminal,
): Promise<number> {
  const wish = wishIn(texts, options)
  const progress = new RefreshProgress(terminal)
  const composition = await compose(options, terminal, (text) => progress.alert(text))
  const interrupted = interruption(terminal)
  try {
    await registerListedAccounts(composition.env, composition.ports.states)
    const selections = await selectionsIn(wish, composition)
    const work = refreshSelected(selections, {
      composition,
      progress,
      force: options.force === true,
      signal: interrupted.signal,
    })
    const done = await Promise.race([work, interrupted.farewell])
    progress.close()
    if (done === undefined) return EXIT.interrupted
    showReport(done, composition, terminal)
    return interrupted.signal.aborted ? EXIT.interrupted : exitCodeOfRun(done)
  } finally {
    interrupted.dispose()
    progress.close()
    await composition.close()
  }
}

export interface RefreshWork {
  readonly composition: Composition
  readonly progress?: RefreshProgress
  readonly force: boolean
  readonly signal?: AbortSignal
}

/** Brokers do not share limits, so their runs go side by side; one report for all of them. */
export async function refreshSelected(
  selections: readonly Selection[],
  work: RefreshWork,
): Promise<RunReport> {
  const { composition, force, progress, signal } = work
  const { clock } = composition.ports
  const forcedAt = force ? clock.now() : undefined
  const runs = await Promise.all(
    selections.map(async ({ broker, accounts }) => {
      try {
        const onProgress = progress?.on
        return await composition.run({ broker, accounts, forcedAt, signal, onProgress })
      } catch (error) {
        const ids = accounts ?? [broker.broker.id as AccountId]
        const failed = (account: AccountId): AccountResult =>
          reportLine(
            broker.broker,
            newAccountState(account),
            resultOfError(error, account, clock.now()),
            clock.now(),
          )
        return report(ids.map(failed))
      }
    }),
  )
  const handedOver = runs.reduce((sum, run) => sum + run.handedOver, 0)
  const [only] = runs
  const empty =
    runs.length === 1 && only
      ? only.message
      : `no accounts: run tokenkeeper setup ${BROKER_IDS[0]}, or with another of ${BROKER_IDS.slice(1).join(', ')}`
  return report(
    runs.flatMap(({ results }) => results),
    handedOver,
    empty,
  )
}

/** The table and the totals of a run. */
export function showReport(done: RunReport, { brokers }: Composition, terminal: Terminal): void {
  if (terminal.json) terminal.object(done)
  else if (done.total === 0) terminal.note(done.message)
  else showTable(done, brokers, terminal)
}

function showTable(done: RunReport, brokers: Composition['brokers'], terminal: Terminal): void {
  const zoneOf = new Map(brokers.map(({ broker }) => [broker.id, broker.session.timeZone]))
  const validity = ({ tokenValidity, account }: AccountResult): string =>
    tokenValidity === null
      ? '-'
      : localInstant(Temporal.Instant.from(tokenValidity), zoneOf.get(brokerOf(account)) ?? 'UTC')
  const rows = done.results.map((result) => [
    result.account,
    outcomeCell(result.outcome),
    validity(result),
    result.outcome === 'refreshed' ? result.nextAction : `${result.reason}; ${result.nextAction}`,
  ])
  terminal.print()
  terminal.print(textTable(['Account', 'Outcome', 'Valid until', 'Next'], rows, terminal))
  terminal.print()
  const { refreshed, failed, skipped, total, handedOver } = done
  const more = handedOver > 0 ? `, still being worked on ${handedOver}` : ''
  terminal.print(`Successful ${refreshed}, failed ${failed}, skipped ${skipped}${more}, total ${total}`)
}

interface Interruption {
  readonly signal: AbortSignal
  /** Resolves with nothing when the time for a good end is over. */
  readonly farewell: Promise<undefined>
  dispose(): void
}

/** Ctrl-C lets the accounts in progress finish: a token the broker has just issued must still be stored. */
function interruption(terminal: Terminal): Interruption {
  const controller = new AbortController()
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const stop = (): void => {
    if (controller.signal.aborted) return
    controller.abort()
    terminal.note('Stopping: accounts in progress may finish, no further one is started.')
    setTimeout(() => resolve(undefined), FAREWELL_MS).unref()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return {
    signal: controller.signal,
    farewell: promise,
    dispose() {
      process.off('SIGINT', stop)
      process.off('SIGTERM', stop)
    },
  }
}
