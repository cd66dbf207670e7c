import { randomUUID } from 'node:crypto'
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import type { RunReport } from '../../../lib/model/outcome.ts'
import { forgetSecrets } from '../../../lib/model/secrets/secret.ts'
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

/**
 * The handler's three kinds of events: a run, answered by its report; one step of a login; work on one token.
 */
export interface RefreshHandler {
  (event: { readonly adopt: object } | { readonly validate: object }, context: Context): Promise<TokenReply>
  (event: { readonly login: object }, context: Context): Promise<LoginReply>
  (event: unknown, context: Context): Promise<RunReport>
}

/**
 * Seconds for a run that somebody waits for, as in lib/tokens/service/token-service.ts: a passing fault is
 * tried again for half a minute. All functions of an AWS account share its concurrent executions (10 in a new
 * one), so consumers' reports must not make functions sleep for minutes where a broker asks for that; the
 * next scheduled run waits instead.
 */
const AWAITED_SECONDS = 75

/**
 * Events are never logged, whatever POWERTOOLS_LOGGER_LOG_EVENT says: a login event contains a one-time code,
 * and another event a token.
 */
const NO_EVENT_IN_THE_LOG = { logEvent: false }

/**
 * The Lambda handler of one broker. An event with `login` is one step of a login, see login-handler.ts; one
 * with `adopt` or `validate` is work on one token, see token-handler.ts; any other is one run over the
 * broker's accounts, answered by its report.
 *
 * Accounts that failed or wait for a person are in the report and in the metrics, which the alarms watch.
 * They are no reason to throw, because a repeat of the invocation would use up another login attempt. It
 * throws where it cannot work: a wrong environment, an event that cannot be understood, accounts that could
 * not be handed over.
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
      // First, since it is so whatever becomes of the accounts that are left.
      if (isScheduled(order)) await writeDownStart(composition, startedAt)
      if (run.remaining.length > 0) await handOver(order, run, unsuccessful, composition.followUp)
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
      // Loaded at the first login, since a scheduled run does not need it.
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
