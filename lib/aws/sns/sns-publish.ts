import type { PublishCommandInput, SNSClient } from '@aws-sdk/client-sns'
import { type AwsFault, awsFault } from '../aws-fault.ts'
import { snsClient } from '../clients.ts'

/** One message, and the attributes that filter policies can choose it by. */
export interface SnsMessage extends Pick<PublishCommandInput, 'Subject' | 'MessageStructure' | 'Message'> {
  readonly attributes: Readonly<Record<string, string>>
}

export interface SnsPublisherOptions {
  readonly topicArn: string
  /** @default - a client made when the first message is sent */
  readonly client?: (() => Promise<SNSClient>) | undefined
  /** Milliseconds for all attempts together. @default - those of the client: 15 s and more */
  readonly limitMs?: number
  /** The fix for the error that the topic does not exist. */
  readonly whenGone: string
  /** Makes the error to throw from what SNS said. */
  readonly failure: (fault: AwsFault) => Error
}

/**
 * Returns a function that sends a message to the topic (SNS API, Publish). SDK and client are loaded for the
 * first message, since most runs send none and each module slows a cold start. Throws what `failure` makes.
 */
export function snsPublisher({
  topicArn,
  client = snsClient,
  limitMs,
  whenGone,
  failure,
}: SnsPublisherOptions) {
  let loaded: Promise<SNSClient> | undefined
  return async ({ attributes, ...message }: SnsMessage): Promise<void> => {
    try {
      const { PublishCommand } = await import('@aws-sdk/client-sns')
      loaded ??= client()
      const sns = await loaded
      await sns.send(
        new PublishCommand({ TopicArn: topicArn, ...message, MessageAttributes: typed(attributes) }),
        limitMs === undefined ? {} : { abortSignal: AbortSignal.timeout(limitMs) },
      )
    } catch (error) {
      throw failure(
        awsFault(error, {
          service: 'SNS',
          operation: 'Publish',
          action: 'sns:Publish',
          resource: `topic ${topicArn}`,
          fixes: { NotFoundException: whenGone },
        }),
      )
    }
  }
}

function typed(attributes: SnsMessage['attributes']): PublishCommandInput['MessageAttributes'] {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
  )
}
