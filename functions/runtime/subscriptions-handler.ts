import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import { snsClient } from '../../lib/aws/clients.ts'
import { snsNotifier } from '../../lib/aws/sns-notifier.ts'
import { subscriptionsOf } from '../../lib/aws/sns-subscriptions.ts'
import { findingsOf, type SubscriptionFinding } from '../../lib/aws/subscription-findings.ts'
import type { Notice } from '../../lib/channels/notice.ts'
import { forgetSecrets } from '../../lib/model/secret.ts'
import { presentable } from './refresh/presentable.ts'
import { stackWords } from './stack-words.ts'
import { maskingLogger } from './telemetry.ts'
import { topicArnOf } from './topic-variable.ts'

/** Named by infra/constructs/subscription-check.ts as well, which may not import from here. */
const METRIC = 'AlertSubscriptionProblems'
const DEFAULT_NAMESPACE = 'Tokenkeeper'

interface SubscriptionReport {
  readonly problems: number
  readonly findings: readonly SubscriptionFinding[]
}

type SubscriptionsHandler = (event: unknown, context: Context) => Promise<SubscriptionReport>

/**
 * The Lambda handler that looks once a day whether alerts still reach people. It tells those who do hear; that nobody
 * may is why it counts a metric as well, whose alarm is seen in CloudWatch. Throws when it cannot look or tell.
 */
export function subscriptionsHandler(): SubscriptionsHandler {
  const logger = maskingLogger('subscriptions')
  const namespace = process.env['POWERTOOLS_METRICS_NAMESPACE'] || DEFAULT_NAMESPACE
  const metrics = new Metrics({ namespace, logger })

  const check = async (): Promise<SubscriptionReport> => {
    try {
      const topicArn = topicArnOf()
      // CloudWatch takes no metric without a dimension from a log line.
      metrics.clearDefaultDimensions()
      metrics.setDefaultDimensions({ topic: topicArn.split(':').at(-1) ?? '' })
      const client = await snsClient()
      const findings = findingsOf(topicArn, await subscriptionsOf(topicArn, client), configuredEmails())
      metrics.addMetric(METRIC, MetricUnit.Count, findings.length)
      for (const { says } of findings) logger.warn(says)
      if (findings.length > 0) {
        await snsNotifier({ topicArn, client: async () => client, words: stackWords() }).announce(
          noticeOf(findings),
        )
      }
      return { problems: findings.length, findings }
    } catch (error) {
      throw presentable(error)
    } finally {
      forgetSecrets()
    }
  }

  return middy<unknown, SubscriptionReport>()
    .use(injectLambdaContext(logger, { logEvent: false }))
    .use(logMetrics(metrics))
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

/** Addresses that ought to be subscribed. */
function configuredEmails(): readonly string[] {
  return (process.env['TOKENKEEPER_ALERT_EMAILS'] ?? '').split(',').filter((email) => email !== '')
}
