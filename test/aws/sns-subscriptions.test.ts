import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { CreateTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { snsClient } from '../../lib/aws/clients.ts'
import { confirmSubscription, subscriptionsOf } from '../../lib/aws/sns/sns-subscriptions.ts'
import { findingsOf } from '../../lib/aws/sns/subscription-findings.ts'
import { readConfirmationLink } from '../../lib/cli/alerts/confirmation-link.ts'
import { type Emulator, useEnvironment } from './support/emulator.ts'
import { startMinistack } from './support/ministack.ts'
import { startMoto } from './support/moto-server.ts'

async function newTopic(): Promise<string> {
  const { TopicArn = '' } = await (await snsClient()).send(
    new CreateTopicCommand({ Name: 'Tokenkeeper-alerts' }),
  )
  return TopicArn
}

async function subscribe(TopicArn: string, Protocol: string, Endpoint: string): Promise<void> {
  await (await snsClient()).send(new SubscribeCommand({ TopicArn, Protocol, Endpoint }))
}

function withEmulator(start: () => Promise<Emulator>): void {
  let emulator: Emulator
  let restore: () => void

  beforeAll(async () => {
    emulator = await start()
    restore = useEnvironment(emulator.endpoint)
  })
  afterAll(async () => {
    restore?.()
    await emulator?.stop()
  })
}

describe('on moto, which confirms whoever is subscribed', () => {
  withEmulator(startMoto)

  test('every subscription is found, also those on the second page of SNS', async () => {
    const topicArn = await newTopic()
    for (let number = 0; number < 101; number++) {
      await subscribe(topicArn, 'email', `user${number}@example.invalid`)
    }
    const found = await subscriptionsOf(topicArn, await snsClient())
    expect(found).toHaveLength(101)
    expect(found[100]).toMatchObject({
      protocol: 'email',
      endpoint: 'u…@example.invalid',
      state: 'protected',
      arn: expect.stringContaining(topicArn),
    })
    expect(findingsOf(topicArn, found, ['user100@example.invalid', 'user101@example.invalid'])).toMatchObject(
      [{ problem: 'missing', says: expect.stringContaining('u…@example.invalid') }],
    )
  })
})

describe('on ministack, where a web hook has to be confirmed', () => {
  withEmulator(startMinistack)
  let hook: Server
  let links: string[]

  beforeAll(async () => {
    links = []
    hook = createServer(async (request, response) => {
      links.push((JSON.parse(await text(request)) as { SubscribeURL: string }).SubscribeURL)
      response.end()
    })
    await new Promise<void>((resolve) => void hook.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => void hook?.close())

  test('a subscription is pending until its link is handed to us, and protected from then on', async () => {
    const topicArn = await newTopic()
    const client = await snsClient()
    await subscribe(topicArn, 'http', `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`)
    await expect.poll(() => links.length).toBe(1)
    expect(await subscriptionsOf(topicArn, client)).toMatchObject([{ protocol: 'http', state: 'pending' }])
    expect(findingsOf(topicArn, await subscriptionsOf(topicArn, client))).toMatchObject([
      { problem: 'missing' },
      { problem: 'pending' },
    ])

    const confirmation = readConfirmationLink(String(links[0]), process.env['AWS_ENDPOINT_URL'])
    expect(confirmation.topicArn).toBe(topicArn)
    const confirmed = await confirmSubscription(topicArn, confirmation.token, client)
    expect(confirmed.state).toBe('protected')
    const found = await subscriptionsOf(topicArn, client)
    expect(found).toMatchObject([{ state: 'protected', arn: confirmed.arn }])
    expect(findingsOf(topicArn, found)).toEqual([])
  })

  test('a token nobody was sent is refused', async () => {
    const { token } = readConfirmationLink(
      `https://sns.us-east-1.amazonaws.com/confirmation.html?TopicArn=${await newTopic()}&Token=0123456789abcdef`,
    )
    await expect(confirmSubscription(await newTopic(), token, await snsClient())).rejects.toMatchObject({
      code: 'configuration_invalid',
      fix: expect.stringContaining('newest confirmation mail'),
    })
  })
})
