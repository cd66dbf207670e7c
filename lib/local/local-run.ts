import { randomUUID } from 'node:crypto'
import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../model/account-id.ts'
import type { ReportedToken } from '../model/account-state.ts'
import { type AccountResult, type RunReport, report } from '../model/outcome.ts'
import type { Broker } from '../ports/broker/broker.ts'
import type { Ports } from '../ports/ports.ts'
import { type Progress, runBroker } from '../tokens/refresh/run.ts'

/**
 * Minutes of one part of a run. A local process may live longer, but no lease is extended past the end of its
 * part, so an account is free again soon after a crash or a power failure.
 */
const LEG_MINUTES = 5

export interface LocalRunRequest {
  readonly broker: Broker
  readonly accounts?: readonly AccountId[] | undefined
  readonly forcedAt?: Temporal.Instant | undefined
  /** A consumer was refused by the broker with this access token; for a run over a single account. */
  readonly reported?: ReportedToken | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** Ends the run early: once aborted, no further account is started. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs over a broker's accounts in this process, in as many parts as it takes, and waits for the end. Never
 * throws.
 */
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
