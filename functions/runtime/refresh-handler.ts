import { randomUUID } from 'node:crypto'
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import type { Broker } from '../../lib/ports/broker.ts'
import type { RunReport } from '../../lib/tokens/outcome.ts'
import { runBroker } from '../../lib/tokens/run.ts'
import { forgetSecrets } from '../../lib/tokens/secret.ts'
import { type Compose, type Composition, composeFromEnvironment } from './compose.ts'
import { readEvent } from './event.ts'
import { handOver } from './hand-over.ts'
import { presentable } from './presentable.ts'
import { lambdaTelemetry } from './telemetry.ts'

export type RefreshHandler = (event: unknown, context: Context) => Promise<RunReport>

/**
 * The Lambda handler of one broker: one run over its accounts, its report as the reply.
 *
 * Accounts that failed or wait for a person are in the report and in the metrics, which the alarms watch; they are
 * no reason to throw, because whoever repeats a failed invocation would spend another login attempt. It throws
 * when its world is broken: a wrong environment, an event nobody can understand, accounts that could not be
 * handed to the follow-up invocation.
 *
 * `compose` builds the adapters once per container, at the first invocation.
 */
export function refreshHandler(broker: Broker, compose: Compose = composeFromEnvironment): RefreshHandler {
  const telemetry = lambdaTelemetry(broker.id)
  let composition: Composition | undefined

  const invoke: RefreshHandler = async (event, context) => {
    try {
      composition ??= compose(broker, telemetry)
      const { ports } = composition
      const startedAt = ports.clock.now()
      const order = readEvent(broker, event, startedAt)
      const { accounts, forcedAt, continuation } = order
      telemetry.info('run started', {
        broker: broker.id,
        accounts: accounts?.length,
        forced: forcedAt !== undefined,
        reason: order.reason,
        continuation,
      })
      const run = await runBroker(
        {
          broker: composition.broker,
          accounts,
          forcedAt,
          // Lambda may deliver one asynchronous event twice under the same request id.
          owner: `${context.awsRequestId}/${randomUUID()}`,
          hardDeadline: startedAt.add({ milliseconds: Math.floor(context.getRemainingTimeInMillis()) }),
        },
        ports,
      )
      // Every run says how many failed, none included: that is what ends the alarms.
      telemetry.count('Failed', broker.id, 0)
      telemetry.count('Ambiguous', broker.id, 0)
      if (run.remaining.length > 0) await handOver(order, run, composition.followUp)
      return run.report
    } catch (error) {
      throw presentable(error)
    } finally {
      forgetSecrets()
    }
  }

  return middy<unknown, RunReport>()
    .use(injectLambdaContext(telemetry.logger))
    .use(logMetrics(telemetry.metrics))
    .handler(invoke)
}
