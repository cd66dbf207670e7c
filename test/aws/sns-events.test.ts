import { CreateTopicCommand, DeleteTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns'
import { describe, expect, test } from 'vitest'
import { snsClient } from '../../lib/aws/clients.ts'
import { snsEvents } from '../../lib/aws/sns/sns-events.ts'
import { eventJson } from '../../lib/channels/event-json.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { PUBLICATION } from '../support/publication.ts'
import { withMoto } from './support/moto-world.ts'
import { Queue } from './support/queue.ts'

withMoto()

/** What SNS puts around a message for a queue. */
interface Envelope {
  readonly Subject?: string
  readonly Message: string
  readonly MessageAttributes: Readonly<Record<string, { readonly Type: string; readonly Value: string }>>
}

let topics = 0

/** A topic, and what a queue gets of it that lets `filter` through. */
async function newTopicWithQueue(filter?: object) {
  const sns = await snsClient()
  const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: `Tokenkeeper-tokens-${++topics}` }))
  const queue = await Queue.create(String(process.env['AWS_ENDPOINT_URL']), `queue-${topics}`)
  const Attributes = filter && { FilterPolicy: JSON.stringify(filter) }
  await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: 'sqs',
      Endpoint: queue.arn,
      ...(Attributes && { Attributes }),
    }),
  )
  const received = async () => (await queue.receive()).map((body) => JSON.parse(body) as Envelope)
  return { topicArn: TopicArn, received }
}

describe('a queue', () => {
  test('gets each publication as JSON with attributes, and never the token', async () => {
    const { topicArn, received } = await newTopicWithQueue()
    const events = snsEvents({ topicArn })
    await events.onPublished(PUBLICATION)
    await events.onPublished({ ...PUBLICATION, generation: 8 })
    const envelopes = await received()
    const text = (one: Envelope): { generation: number } => JSON.parse(one.Message)
    expect(envelopes.map(text).toSorted((a, b) => a.generation - b.generation)).toEqual([
      eventJson(PUBLICATION),
      { ...eventJson(PUBLICATION), generation: 8 },
    ])
    for (const { MessageAttributes, Subject } of envelopes) {
      expect(Subject).toBeUndefined()
      expect(MessageAttributes).toEqual({
        kind: { Type: 'String', Value: 'token_published' },
        broker: { Type: 'String', Value: 'fyers' },
        account: { Type: 'String', Value: 'fyers/papa' },
      })
    }
    expect(JSON.stringify(envelopes)).not.toContain(PUBLICATION.accessToken.reveal())
  })

  test('gets nothing of an account that is withdrawn', async () => {
    const { topicArn, received } = await newTopicWithQueue()
    const events = snsEvents({ topicArn })
    await events.onWithdrawn(PUBLICATION.account)
    await events.onPublished(PUBLICATION)
    expect(await received()).toHaveLength(1)
  })

  test.each([
    ['broker', 'fyers', { broker: 'upstox' }],
    ['account', 'fyers/papa', { account: parseAccountId('fyers') }],
  ])('can choose by the %s', async (attribute, wanted, other) => {
    const { topicArn, received } = await newTopicWithQueue({
      kind: ['token_published'],
      [attribute]: [wanted],
    })
    const events = snsEvents({ topicArn })
    await events.onPublished({ ...PUBLICATION, ...other, generation: 99 })
    await events.onPublished(PUBLICATION)
    expect((await received()).map(({ Message }) => JSON.parse(Message))).toEqual([eventJson(PUBLICATION)])
  })
})

test('a topic that is gone is named, with what to do', async () => {
  const { topicArn } = await newTopicWithQueue()
  await (await snsClient()).send(new DeleteTopicCommand({ TopicArn: topicArn }))
  await expect(snsEvents({ topicArn }).onPublished(PUBLICATION)).rejects.toMatchObject({
    name: 'SubscriberError',
    message: expect.stringContaining(topicArn),
    fix: 'deploy the stack again: the topic of the events is gone',
  })
})
