import type { Outcome, RunReport } from '../../model/outcome.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Metric, Telemetry } from '../../ports/telemetry.ts'

const METRIC_OF: Readonly<Record<Outcome, Metric>> = {
  fresh: 'Fresh',
  refreshed: 'Refreshed',
  awaiting_login: 'AwaitingLogin',
  ambiguous: 'Ambiguous',
  failed: 'Failed',
  skipped: 'Skipped',
  paused: 'Paused',
}

/** Counts and logs how each account of a run ended, and the run itself. */
export function measure(broker: Broker, { results, ...totals }: RunReport, telemetry: Telemetry): void {
  for (const result of results) {
    telemetry.count(METRIC_OF[result.outcome], broker.id)
    if (result.code === 'token_lost') telemetry.count('TokenLost', broker.id)
    telemetry[result.success ? 'info' : 'warn'](result.outcome, {
      account: result.account,
      code: result.code,
      reason: result.reason,
      tokenValidity: result.tokenValidity ?? undefined,
      nextAction: result.nextAction,
    })
  }
  telemetry.count('RunCompleted', broker.id)
  telemetry.info('run completed', { broker: broker.id, ...totals })
}
