import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics'
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import * as z from 'zod/mini'
import { dynamoDbClient, snsClient } from '../../lib/aws/clients.ts'
import { dynamoScheduledRuns } from '../../lib/aws/dynamo/dynamo-scheduled-runs.ts'
import { snsNotifier } from '../../lib/aws/sns/sns-notifier.ts'
import { subscriptionsOf } from '../../lib/aws/sns/sns-subscriptions.ts'
import { findingsOf, type SubscriptionFinding } from '../../lib/aws/sns/subscription-findings.ts'
import type { Notice } from '../../lib/channels/notice.ts'
import { type EndingDays, endingDays, isDayToTell } from '../../lib/markets/known-until.ts'
import { forgetSecrets } from '../../lib/model/secrets/secret.ts'
import type { Clock } from '../../lib/ports/clock.ts'
import { resourceNames } from '../../lib/resource-names.ts'
import { systemClock } from '../../lib/system-clock.ts'
import { type CheckEnvironment, readCheckEnvironment } from './check-environment.ts'
import { type MissedRun, missedRuns, noticeOfMissed } from './missed-runs.ts'
import { presentable } from './refresh/presentable.ts'
import { stackWords } from './stack-words.ts'
import { maskingLogger } from './telemetry.ts'

/** The same name is in infra/constructs/subscription-check.ts, which may not import from here. */
const METRIC = 'AlertSubscriptionProblems'
const DEFAULT_NAMESPACE = 'Tokenkeeper'

/** The second look of a day is at the runs alone: one message a day of a subscription is enough. */
const CheckEvent = z.object({ only: z.optional(z.literal('runs')) })

interface CheckReport {
  readonly problems: number
  readonly findings: readonly SubscriptionFinding[]
  /** Brokers whose schedules start no runs. */
  readonly missed: readonly MissedRun[]
}

type SubscriptionsHandler = (event: unknown, context: Context) => Promise<CheckReport>

/**
 * The Lambda handler that looks whether alerts still reach people, whether the schedules still start runs, and whether
 * trading days are known for long enough. It tells those who do hear; that nobody may is why it counts a metric of the first, whose alarm is seen in CloudWatch.
 * Throws when it cannot look or tell, but not before it has tried both.
 */
export function subscriptionsHandler(clock: Clock = systemClock): SubscriptionsHandler {
  const logger = maskingLogger('subscriptions')
  const namespace = process.env['POWERTOOLS_METRICS_NAMESPACE'] || DEFAULT_NAMESPACE
  const metrics = new Metrics({ namespace, logger })

  const tell = async (topicArn: string, notice: Notice): Promise<void> => {
    logger.warn(`${notice.title}: ${notice.reason}`)
    await snsNotifier({ topicArn, words: stackWords() }).announce(notice)
  }

  const lookAtSubscriptions = async ({ topicArn, emails }: CheckEnvironment) => {
    // From a log line CloudWatch takes only metrics with a dimension.
    metrics.clearDefaultDimensions()
    metrics.setDefaultDimensions({ topic: topicArn.split(':').at(-1) ?? '' })
    const findings = findingsOf(topicArn, await subscriptionsOf(topicArn, await snsClient()), emails)
    metrics.addMetric(METRIC, MetricUnit.Count, findings.length)
    metrics.publishStoredMetrics()
    if (findings.length > 0) await tell(topicArn, noticeOf(findings))
    return findings
  }

  const lookAtRuns = async ({ topicArn, stackName, table, brokers }: CheckEnvironment) => {
    if (brokers.length === 0) return []
    const missed = await missedRuns(brokers, dynamoScheduledRuns(dynamoDbClient(), table), clock.now())
    if (missed.length > 0) await tell(topicArn, noticeOfMissed(missed, resourceNames(stackName).schedules))
    return missed
  }

  /** Once a week, from a month before. It counts for nothing in the metric, which is of who hears. */
  const lookAtDays = async ({ topicArn, brokers }: CheckEnvironment): Promise<void> => {
    const markets = brokers.flatMap(({ broker }) => broker.tradingSession?.markets ?? [])
    const ending = endingDays(markets, clock.now()).filter(isDayToTell)
    if (ending.length > 0) await tell(topicArn, noticeOfDays(ending))
  }

  const check = async (event: unknown): Promise<CheckReport> => {
    try {
      const environment = readCheckEnvironment()
      const onlyRuns = CheckEvent.safeParse(event).data?.only === 'runs'
      const [findings, missed, days] = await Promise.allSettled([
        onlyRuns ? [] : lookAtSubscriptions(environment),
        lookAtRuns(environment),
        onlyRuns ? undefined : lookAtDays(environment),
      ])
      if (findings.status === 'rejected') throw findings.reason
      if (missed.status === 'rejected') throw missed.reason
      if (days.status === 'rejected') throw days.reason
      return { problems: findings.value.length, findings: findings.value, missed: missed.value }
    } catch (error) {
      throw presentable(error)
    } finally {
      forgetSecrets()
    }
  }

  return middy<unknown, CheckReport>()
    .use(injectLambdaContext(logger, { logEvent: false }))
    .handler(check)
}

function noticeOf(findings: readonly SubscriptionFinding[]): Notice {
  return {
    kind: 'operator_action',
    severity: 'action',
    title: 'Set-up needs a correction: who gets alerts',
    reason: findings.map(({ says }) => says).join('; '),
    action: 'run tokenkeeper alerts list, which says how to mend each',
  }
}

function noticeOfDays(ending: readonly EndingDays[]): Notice {
  return {
    kind: 'operator_action',
    severity: 'info',
    title: `Trading days are known until ${ending[0]?.until} only`,
    reason: ending.map(({ says }) => says).join('; '),
    action: ending.map(({ fix }) => fix).join('; '),
  }
}
