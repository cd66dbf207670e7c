import type { SNSClient } from '@aws-sdk/client-sns'
import { eventAttributes, eventJson } from '../channels/event-json.ts'
import { SubscriberError } from '../model/errors.ts'
import type { Subscriber } from '../ports/subscriber.ts'
import { snsPublisher } from './sns-publish.ts'

/** A person who logs in waits for it, and a run over many accounts does at each: a second attempt, and no third. */
const LIMIT_MS = 5_000

export interface SnsEventsOptions {
  readonly topicArn: string
  /** @default - a client made when the first event is sent */
  readonly client?: () => Promise<SNSClient>
}

/**
 * The programs that subscribed to the topic of events: one message per published token, the JSON of lib/channels/event-json.ts.
 * Filter policies find kind, broker and account as message attributes. A topic that is not FIFO promises no order: the
 * generation says which of two is newer.
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
    // An event tells of a publication, which stays true; and every run of a paused account would repeat it.
    async onWithdrawn() {},
  }
}
