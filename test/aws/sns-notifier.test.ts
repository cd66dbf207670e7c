import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import {
  CreateTopicCommand,
  type PublishCommandInput,
  type SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns'
import { Temporal } from 'temporal-polyfill'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { snsClient } from '../../lib/aws/clients.ts'
import { snsNotifier, subjectOf } from '../../lib/aws/sns/sns-notifier.ts'
import { alertJson } from '../../lib/channels/alert-json.ts'
import { alertText } from '../../lib/channels/alert-text.ts'
import type { Notice } from '../../lib/channels/notice.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import type { Alert } from '../../lib/ports/notifier.ts'
import { ALERT, notifierContract } from '../contracts/notifier-contract.ts'
import { withMoto } from './support/moto-world.ts'
import { Queue } from './support/queue.ts'

withMoto()

const LINKED: Alert = {
  ...ALERT,
  deadline: Temporal.ZonedDateTime.from('2026-11-23T09:15[Asia/Kolkata]'),
  link: 'https://site.example.invalid/login?account=fyers%2Fpapa&sig=abc',
}
const NOTICE: Notice = {
  kind: 'operator_action',
  severity: 'action',
  title: 'Set-up needs a correction: who gets alerts',
  reason: 'nobody is told',
  action: 'run tokenkeeper alerts list',
}

/** What SNS puts around a message for a queue or a web hook. */
interface Envelope {
  readonly Subject: string
  readonly Message: string
  readonly MessageAttributes: Readonly<Record<string, { readonly Value: string }>>
}

let topics = 0

async function newTopic(): Promise<string> {
  const sns = await snsClient()
  const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: `Tokenkeeper-alerts-${++topics}` }))
  return TopicArn
}

async function subscribe(
  TopicArn: string,
  Protocol: string,
  Endpoint: string,
  filter?: object,
): Promise<void> {
  const Attributes = filter && { FilterPolicy: JSON.stringify(filter) }
  const sns = await snsClient()
  await sns.send(new SubscribeCommand({ TopicArn, Protocol, Endpoint, ...(Attributes && { Attributes }) }))
}

/** A topic, and what a queue gets of it that lets `filter` through. */
async function newTopicWithQueue(filter?: object) {
  const topicArn = await newTopic()
  const queue = await Queue.create(String(process.env['AWS_ENDPOINT_URL']), `queue-${topics}`)
  await subscribe(topicArn, 'sqs', queue.arn, filter)
  const received = async () => (await queue.receive()).map((body) => JSON.parse(body) as Envelope)
  return { topicArn, received }
}

/** A client that keeps what it publishes, each once SNS has taken it. */
async function recording(): Promise<{ client: () => Promise<SNSClient>; published: PublishCommandInput[] }> {
  const published: PublishCommandInput[] = []
  const client = await snsClient()
  client.middlewareStack.add(
    (next) => async (args) => {
      const output = await next(args)
      published.push(args.input as PublishCommandInput)
      return output
    },
    { step: 'initialize', name: 'recording' },
  )
  return { client: async () => client, published }
}

/** Each form of a publication, by the kind of subscription it is for. */
function formsOf({ Message = '' }: PublishCommandInput): Readonly<Record<string, string>> {
  return JSON.parse(Message) as Record<string, string>
}

// No emulator sends mail: what SNS has taken for it is looked at instead.
notifierContract('SNS', async () => {
  const { client, published } = await recording()
  return {
    notifier: snsNotifier({ topicArn: await newTopic(), client }),
    delivered: () => published.map((publication) => String(formsOf(publication)['email'])),
  }
})

describe('one publication', () => {
  test('has text for mail and whatever else there is, one line for SMS, and JSON for machines', async () => {
    const { client, published } = await recording()
    await snsNotifier({ topicArn: await newTopic(), client }).notify(LINKED)
    expect(published).toHaveLength(1)
    const { default: usual, email, sms, ...machines } = formsOf(published[0] as PublishCommandInput)
    expect([usual, email]).toEqual([alertText(LINKED), alertText(LINKED)])
    expect(sms).toBe(subjectOf(LINKED))
    expect(Object.keys(machines).toSorted()).toEqual([
      'email-json',
      'firehose',
      'http',
      'https',
      'lambda',
      'sqs',
    ])
    for (const json of Object.values(machines)) expect(JSON.parse(json)).toEqual(alertJson(LINKED))
  })

  test('holds no secret in any of its forms, not even escaped or encoded', async () => {
    const secret = new Secret('canary "1" of\\an+alert/=')
    const { client, published } = await recording()
    const leaky = `${secret.reveal()} ${encodeURIComponent(secret.reveal())} ${btoa(secret.reveal())}`
    await snsNotifier({ topicArn: await newTopic(), client }).notify({
      ...LINKED,
      title: leaky,
      reason: leaky,
      action: leaky,
      accountName: leaky,
      incident: leaky,
      link: `https://site.example.invalid/?code=${encodeURIComponent(secret.reveal())}`,
    })
    const whole = JSON.stringify(published)
    expect(whole).toContain('[secret]')
    // Beside itself: as JSON within JSON writes it, and any run of its letters long enough to tell.
    const forms = [
      secret.reveal(),
      encodeURIComponent(secret.reveal()),
      btoa(secret.reveal()),
      'canary',
      'an+alert',
    ]
    expect(forms.filter((form) => whole.includes(form))).toEqual([])
  })
})

describe('a queue', () => {
  test('gets the JSON under the subject, with attributes', async () => {
    const { topicArn, received } = await newTopicWithQueue()
    await snsNotifier({ topicArn }).notify(LINKED)
    const [envelope] = await received()
    expect(envelope).toMatchObject({
      Subject: 'Log in: FYERS Papa',
      MessageAttributes: {
        broker: { Value: 'fyers' },
        account: { Value: 'fyers/papa' },
        kind: { Value: 'login_needed' },
        severity: { Value: 'action' },
      },
    })
    expect(JSON.parse(envelope?.Message ?? '')).toEqual(alertJson(LINKED))
  })

  test('gets a notice about the installation, which has no broker and no account', async () => {
    const { topicArn, received } = await newTopicWithQueue()
    await snsNotifier({ topicArn }).announce(NOTICE)
    const [envelope] = await received()
    expect(Object.keys(envelope?.MessageAttributes ?? {}).toSorted()).toEqual(['kind', 'severity'])
    expect(JSON.parse(envelope?.Message ?? '')).toEqual({ version: 1, ...NOTICE })
  })

  test('gets a notice about one broker with its name', async () => {
    const { topicArn, received } = await newTopicWithQueue({ broker: ['fyers'] })
    await snsNotifier({ topicArn }).announce(NOTICE)
    await snsNotifier({ topicArn }).announce({ ...NOTICE, broker: 'fyers', severity: 'page' })
    const [envelope, ...others] = await received()
    expect(others).toEqual([])
    expect(envelope?.MessageAttributes).toMatchObject({
      broker: { Value: 'fyers' },
      severity: { Value: 'page' },
    })
    expect(JSON.parse(envelope?.Message ?? '')).toMatchObject({ broker: 'fyers', severity: 'page' })
  })

  test.each([
    ['broker', ALERT.broker, { broker: 'upstox' }],
    ['account', ALERT.account, { account: parseAccountId('fyers') }],
    ['kind', ALERT.kind, { kind: 'solved' as const }],
    ['severity', ALERT.severity, { severity: 'page' as const }],
  ])('can choose by the %s', async (attribute, wanted, other) => {
    const { topicArn, received } = await newTopicWithQueue({ [attribute]: [wanted] })
    const notifier = snsNotifier({ topicArn })
    await notifier.notify({ ...ALERT, ...other, title: 'unwanted' })
    await notifier.notify(ALERT)
    expect((await received()).map(({ Subject }) => Subject)).toEqual([ALERT.title])
  })

  test('takes the longest and oddest titles there are', async () => {
    const { topicArn, received } = await newTopicWithQueue()
    const title = `Log in: FYERS ${'पापा\n'.repeat(60)}`
    await snsNotifier({ topicArn }).notify({ ...ALERT, title })
    expect(await received()).toMatchObject([{ Subject: subjectOf({ ...ALERT, title }) }])
  })
})

describe('a web hook', () => {
  let hook: Server
  let bodies: Envelope[]

  beforeEach(async () => {
    bodies = []
    hook = createServer(async (request, response) => {
      bodies.push(JSON.parse(await text(request)) as Envelope)
      response.end()
    })
    await new Promise<void>((resolve) => void hook.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => void hook.close())

  test('gets the JSON as well', async () => {
    const topicArn = await newTopic()
    await subscribe(topicArn, 'http', `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`)
    await snsNotifier({ topicArn }).notify(LINKED)
    expect(bodies.map(({ Message }) => JSON.parse(Message))).toEqual([alertJson(LINKED)])
  })
})

test('a topic that is gone is named, with what to do', async () => {
  const gone = snsNotifier({ topicArn: `${await newTopic()}-gone` })
  await expect(gone.notify(ALERT)).rejects.toMatchObject({
    name: 'NotificationError',
    fix: expect.stringContaining('deploy the stack again'),
  })
})
