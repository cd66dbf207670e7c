import type { SNSClient } from '@aws-sdk/client-sns'
import { eventAttributes, eventJson } from '../../channels/event-json.ts'
import { SubscriberError } from '../../model/errors.ts'
import type { Subscriber } from '../../ports/subscriber.ts'
import { snsPublisher } from './sns-publish.ts'

/**
 * Milliseconds for all attempts, which allow a second one but no third: a person who logs in waits for it,
 * and so does a run at each account.
 */
const LIMIT_MS = 5_000

export interface SnsEventsOptions {
  readonly topicArn: string
  /** @default - a client made when the first event is sent */
  readonly client?: () => Promise<SNSClient>
}

/**
 * Sends one message per published token to the topic of events: the JSON of lib/channels/event-json.ts.
 * Filter policies find kind, broker and account as message attributes. A topic that is not FIFO keeps no
 * order; the generation tells which of two messages is newer.
 */
export function snsEvents(options: SnsEventsOptions): Subscriber {
  const publish = snsPublisher({
    ...options,
    limitMs: LIMIT_MS,
    whenGone: 'deploy the stack again: the topic of the events is gone',
    failure: ({ message, fix, cause }) => new SubscriberError(message, { fix, cause }),
  })
  return {
    name: 'topic of events',
    async onPublished(publication) {
      await publish({
        Message: JSON.stringify(eventJson(publication)),
        attributes: eventAttributes(publication),
      })
    },
    // Nothing to withdraw: an event about a publication stays true. Every run of a paused account would send
    // it again.
    async onWithdrawn() {},
  }
}
