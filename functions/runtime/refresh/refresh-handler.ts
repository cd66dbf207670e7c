import { randomUUID } from 'node:crypto'
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import type { RunReport } from '../../../lib/model/outcome.ts'
import { forgetSecrets } from '../../../lib/model/secret.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import { runBroker } from '../../../lib/tokens/refresh/run.ts'
import { composeFromEnvironment } from '../compose.ts'
import type { Compose, FunctionComposition } from '../composition.ts'
import type { LoginReply } from '../login/login-handler.ts'
import { lambdaTelemetry } from '../telemetry.ts'
import type { TokenReply } from '../token/token-handler.ts'
import { isLoginEvent, isTokenEvent, readEvent } from './event.ts'
import { handOver } from './hand-over.ts'
import { presentable } from './presentable.ts'
import { isScheduled, writeDownStart } from './scheduled-start.ts'
import { countUnsuccessful } from './unsuccessful.ts'

/** A run and its report, one step of a login and its plain reply, or work on one token and how it went. */
export interface RefreshHandler {
  (event: { readonly adopt: object } | { readonly validate: object }, context: Context): Promise<TokenReply>
  (event: { readonly login: object }, context: Context): Promise<LoginReply>
  (event: unknown, context: Context): Promise<RunReport>
}

/**
 * What a run somebody waits for may take, as a leg of the local service: it tries a passing fault again for half a minute.
 * All functions of an AWS account share its concurrent executions (10 in a new one), so consumers' reports must not
 * put functions to sleep for a broker's pause of minutes; the next scheduled run waits for that.
 */
const AWAITED_SECONDS = 75

/** Whatever POWERTOOLS_LOGGER_LOG_EVENT says: a login event holds a one-time code, a token that is handed in is one. */
const NO_EVENT_IN_THE_LOG = { logEvent: false }

/**
 * The Lambda handler of one broker: one run over its accounts, its report as the reply. An event with `login` is one
 * step of a login instead, see login-handler.ts; one with `adopt` or `validate` is work on one token, see
 * token-handler.ts.
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
  let built: FunctionComposition | undefined
  const composed = (): FunctionComposition => {
    built ??= compose(broker, telemetry)
    return built
  }

  const refresh = async (event: unknown, context: Context): Promise<RunReport> => {
    try {
      const composition = composed()
      const { ports } = composition
      const startedAt = ports.clock.now()
      const order = readEvent(broker, event, startedAt)
      const { accounts, forcedAt, refused, awaited, continuation } = order
      const leftMs = Math.floor(context.getRemainingTimeInMillis())
      const isAwaited = awaited || refused !== undefined
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
          reported: refused,
          // Lambda may deliver one asynchronous event twice under the same request id.
          owner: `${context.awsRequestId}/${randomUUID()}`,
          hardDeadline: startedAt.add({
            milliseconds: isAwaited ? Math.min(leftMs, AWAITED_SECONDS * 1_000) : leftMs,
          }),
        },
        ports,
      )
      const unsuccessful = await countUnsuccessful(order, run, composition)
      if (run.remaining.length > 0) await handOver(order, run, unsuccessful, composition.followUp)
      if (isScheduled(order)) await writeDownStart(composition, startedAt)
      return run.report
    } catch (error) {
      throw presentable(error)
    } finally {
      telemetry.publish()
      forgetSecrets()
    }
  }

  const runs = middy<unknown, RunReport>()
    .use(injectLambdaContext(telemetry.logger, NO_EVENT_IN_THE_LOG))
    .handler(refresh)
  const logins = middy<unknown, LoginReply>()
    .use(injectLambdaContext(telemetry.logger, NO_EVENT_IN_THE_LOG))
    .handler(async (event) => {
      // Read at the first login: a scheduled run has no use for it.
      const { takeLoginStep } = await import('../on-demand.ts')
      return takeLoginStep(event, broker, composed, telemetry)
    })
  const tokens = middy<unknown, TokenReply>()
    .use(injectLambdaContext(telemetry.logger, NO_EVENT_IN_THE_LOG))
    .handler(async (event) => {
      const { workOnToken } = await import('../on-demand.ts')
      return workOnToken(event, broker, composed, telemetry)
    })
  return ((event: unknown, context: Context) => {
    if (isLoginEvent(event)) return logins(event, context)
    return isTokenEvent(event) ? tokens(event, context) : runs(event, context)
  }) as RefreshHandler
}
