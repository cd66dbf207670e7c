import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { CreateTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { snsClient } from '../../lib/aws/clients.ts'
import { snsNotifier, subjectOf } from '../../lib/aws/sns-notifier.ts'
import { parseAccountId } from '../../lib/tokens/account-id.ts'
import { ALERT, notifierContract } from '../contracts/notifier-contract.ts'
import { callsOf } from './support/calls.ts'
import { withMoto } from './support/moto-world.ts'

withMoto()

/** What a subscriber of the topic gets. */
interface Delivery {
  readonly Subject: string
  readonly Message: string
}

let topics = 0
let subscriber: Server
let deliveries: Delivery[]

beforeEach(async () => {
  deliveries = []
  subscriber = createServer(async (request, response) => {
    const body = JSON.parse(await text(request)) as Delivery & { readonly Type: string }
    if (body.Type === 'Notification') deliveries.push(body)
    response.end()
  })
  await new Promise<void>((resolve) => void subscriber.listen(0, '127.0.0.1', resolve))
})

afterEach(() => void subscriber.close())

/** A topic that delivers to our subscriber what `filter` lets through. */
async function newTopic(filter?: object): Promise<string> {
  const sns = await snsClient()
  const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: `Tokenkeeper-alerts-${++topics}` }))
  const { port } = subscriber.address() as AddressInfo
  await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: 'http',
      Endpoint: `http://127.0.0.1:${port}/`,
      ...(filter && { Attributes: { FilterPolicy: JSON.stringify(filter) } }),
    }),
  )
  return TopicArn
}

notifierContract('SNS', async () => ({
  notifier: snsNotifier({ topicArn: await newTopic() }),
  delivered: () => deliveries.map(({ Message }) => Message),
}))

describe('SNS', () => {
  test('gets one Publish per alert, with the title as the subject', async () => {
    const client = await snsClient()
    const calls = callsOf(client)
    const notifier = snsNotifier({ topicArn: await newTopic(), client: async () => client })
    await notifier.notify(ALERT)
    expect(calls).toEqual(['Publish'])
    expect(deliveries).toMatchObject([{ Subject: 'Log in: FYERS Papa' }])
  })

  test.each([
    ['broker', ALERT.broker, { broker: 'upstox' }],
    ['account', ALERT.account, { account: parseAccountId('fyers') }],
    ['kind', ALERT.kind, { kind: 'solved' as const }],
    ['severity', ALERT.severity, { severity: 'page' as const }],
  ])('a subscriber can choose by the %s', async (attribute, wanted, other) => {
    const notifier = snsNotifier({ topicArn: await newTopic({ [attribute]: [wanted] }) })
    await notifier.notify({ ...ALERT, ...other, title: 'unwanted' })
    await notifier.notify(ALERT)
    expect(deliveries.map(({ Subject }) => Subject)).toEqual([ALERT.title])
  })

  test('takes the longest and oddest titles there are', async () => {
    const notifier = snsNotifier({ topicArn: await newTopic() })
    const title = `Log in: FYERS ${'पापा\n'.repeat(60)}`
    await notifier.notify({ ...ALERT, title })
    expect(deliveries).toMatchObject([{ Subject: subjectOf({ ...ALERT, title }) }])
  })

  test('a topic that is gone is named, with what to do', async () => {
    const gone = snsNotifier({ topicArn: `${await newTopic()}-gone` })
    await expect(gone.notify(ALERT)).rejects.toMatchObject({
      name: 'NotificationError',
      fix: expect.stringContaining('deploy the stack again'),
    })
  })
})
