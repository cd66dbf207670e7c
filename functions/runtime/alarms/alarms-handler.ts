import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import { snsNotifier } from '../../../lib/aws/sns/sns-notifier.ts'
import { presentable } from '../refresh/presentable.ts'
import { stackWords } from '../stack-words.ts'
import { maskingLogger } from '../telemetry.ts'
import { topicArnOf } from '../topic-variable.ts'
import { noticeOfAlarm } from './alarm-event.ts'

type AlarmsHandler = (event: unknown, context: Context) => Promise<{ readonly told: boolean }>

/**
 * The Lambda handler every alarm of the stack calls: it tells people on the topic of the alerts. CloudWatch itself can
 * publish there as well, but without message attributes, so that no subscriber with a filter policy would hear it, and
 * as JSON of its own. Throws when it cannot tell: Lambda then tries again, and an alarm on this function's errors, which
 * alone goes straight to the topic, tells of it.
 */
export function alarmsHandler(): AlarmsHandler {
  const logger = maskingLogger('alarms')

  const tell = async (event: unknown): Promise<{ readonly told: boolean }> => {
    try {
      const words = stackWords()
      const notice = noticeOfAlarm(event, words)
      if (notice === undefined) return { told: false }
      logger.info(notice.title)
      await snsNotifier({ topicArn: topicArnOf(), words }).announce(notice)
      return { told: true }
    } catch (error) {
      throw presentable(error)
    }
  }

  return middy<unknown, { readonly told: boolean }>()
    .use(injectLambdaContext(logger, { logEvent: false }))
    .handler(tell)
}
