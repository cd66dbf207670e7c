import { randomUUID } from 'node:crypto'
import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../model/account-id.ts'
import type { ReportedToken } from '../model/account-state.ts'
import { type AccountResult, type RunReport, report } from '../model/outcome.ts'
import type { Broker } from '../ports/broker/broker.ts'
import type { Ports } from '../ports/ports.ts'
import { type Progress, runBroker } from '../tokens/refresh/run.ts'

/**
 * Minutes of one leg of a run. Nobody stops a local process after so long; but leases end with the leg, so an
 * account is free again soon after a crash or a pulled plug.
 */
const LEG_MINUTES = 5

export interface LocalRunRequest {
  readonly broker: Broker
  readonly accounts?: readonly AccountId[] | undefined
  readonly forcedAt?: Temporal.Instant | undefined
  /** A consumer was refused by the broker with this access token; for a run over a single account. */
  readonly reported?: ReportedToken | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** No further account is started once it is aborted. */
  readonly signal?: AbortSignal | undefined
}

/** One run over a broker's accounts in this process, in as many legs as it takes. Never throws. */
export async function runHere(request: LocalRunRequest, ports: Ports): Promise<RunReport> {
  const { broker, signal, onProgress } = request
  const results: AccountResult[] = []
  let accounts = request.accounts
  for (;;) {
    const run = await runBroker(
      {
        broker,
        accounts,
        signal,
        forcedAt: request.forcedAt,
        reported: request.reported,
        owner: `local/${randomUUID()}`,
        hardDeadline: ports.clock.now().add({ minutes: LEG_MINUTES }),
        ...(onProgress && { onProgress }),
      },
      ports,
    )
    results.push(...run.report.results)
    if (run.remaining.length === 0 || signal?.aborted) {
      return { ...report(results), ...(results.length === 0 && { message: run.report.message }) }
    }
    accounts = run.remaining
  }
}
