import type { SNSClient } from '@aws-sdk/client-sns'
import { alertText, line } from '../alert-text.ts'
import type { Alert, Notifier } from '../ports/notifier.ts'
import { NotificationError } from '../tokens/errors.ts'
import { awsFault } from './aws-fault.ts'
import { snsClient } from './clients.ts'

/** SNS takes "less than 100" ASCII characters without control characters for a mail's subject. */
const LONGEST_SUBJECT = 99
const ELLIPSIS = '...'

export interface SnsNotifierOptions {
  readonly topicArn: string
  /** @default - a client made when the first alert is sent */
  readonly client?: () => Promise<SNSClient>
}

/**
 * The notifier on SNS. The message is written for mail; filter policies find the broker, account, kind and
 * severity as message attributes.
 */
export function snsNotifier({ topicArn, client = snsClient }: SnsNotifierOptions): Notifier {
  let loaded: Promise<SNSClient> | undefined
  return {
    async notify(alert) {
      try {
        const { PublishCommand } = await import('@aws-sdk/client-sns')
        loaded ??= client()
        const sns = await loaded
        await sns.send(
          new PublishCommand({
            TopicArn: topicArn,
            Subject: subjectOf(alert),
            Message: alertText(alert),
            MessageAttributes: attributesOf(alert),
          }),
        )
      } catch (error) {
        const { message, fix, cause } = awsFault(error, {
          service: 'SNS',
          operation: 'Publish',
          action: 'sns:Publish',
          resource: `topic ${topicArn}`,
          fixes: { NotFoundException: 'deploy the stack again: the topic of the alerts is gone' },
        })
        throw new NotificationError(message, { fix, cause })
      }
    },
  }
}

/** The title in the characters a subject may have. An account named in another script goes by its id. */
export function subjectOf({ title, accountName, account }: Alert): string {
  const named = ascii(accountName).includes('?') ? title.replaceAll(accountName, account) : title
  return shortened(ascii(line(named)))
}

/** Letters lose their accents, typographic signs become plain ones, and what is left over a question mark. */
function ascii(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/\p{Pd}/gu, '-')
    .replace(/[‘’‚]/g, "'")
    .replace(/[“”„]/g, '"')
    .replace(/[^\x20-\x7e]+/g, '?')
}

/** Cut between words where that costs little. */
function shortened(text: string): string {
  if (text.length <= LONGEST_SUBJECT) return text
  const room = LONGEST_SUBJECT - ELLIPSIS.length
  const lastSpace = text.lastIndexOf(' ', room)
  return text.slice(0, lastSpace > room / 2 ? lastSpace : room) + ELLIPSIS
}

function attributesOf({ broker, account, kind, severity }: Alert) {
  return Object.fromEntries(
    Object.entries({ broker, account, kind, severity }).map(([name, value]) => [
      name,
      { DataType: 'String', StringValue: value },
    ]),
  )
}
