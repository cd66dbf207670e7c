import { CreateTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns'
import { Temporal } from 'temporal-polyfill'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { subscriptionsHandler } from '../../functions/runtime/subscriptions-handler.ts'
import { dynamoDbClient, snsClient } from '../../lib/aws/clients.ts'
import { dynamoScheduledRuns } from '../../lib/aws/dynamo/dynamo-scheduled-runs.ts'
import { dynamoStateStore } from '../../lib/aws/dynamo/dynamo-state-store.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { captureOutput, lambdaContext } from '../functions/lambda.ts'
import { withMoto } from './support/moto-world.ts'
import { Queue } from './support/queue.ts'
import { newStateTable } from './support/state-table.ts'

withMoto()

const MONDAY = Temporal.Instant.from('2026-11-23T08:45:00+05:30')

describe('scheduled runs in the state table', () => {
  test('are one a broker, the last one, and none before the first', async () => {
    const client = dynamoDbClient()
    const runs = dynamoScheduledRuns(client, await newStateTable(client))
    expect(await runs.lastStart('fyers')).toBeUndefined()
    await runs.started('fyers', MONDAY)
    await runs.started('fyers', MONDAY.add({ minutes: 15 }))
    expect((await runs.lastStart('fyers'))?.toString()).toBe('2026-11-23T03:30:00Z')
    expect(await runs.lastStart('upstox')).toBeUndefined()
  })

  test('keep what is watched, whole', async () => {
    const client = dynamoDbClient()
    const runs = dynamoScheduledRuns(client, await newStateTable(client))
    expect(await runs.watched()).toEqual({})
    const fyers = { schedules: ['rate(6 hours)'], timeZone: 'UTC', since: MONDAY.toString() }
    await runs.watch({ fyers, upstox: fyers })
    await runs.watch({ fyers })
    expect(await runs.watched()).toEqual({ fyers })
  })

  test('are no accounts', async () => {
    const client = dynamoDbClient()
    const table = await newStateTable(client)
    const runs = dynamoScheduledRuns(client, table)
    await runs.started('fyers', MONDAY)
    await runs.watch({})
    for (const partition of ['fyers', 'runs', 'runs#fyers']) {
      for await (const state of dynamoStateStore({ client, table }).list(partition)) {
        expect(state).toBeUndefined()
      }
    }
  })

  test('a table that is not there is named, with what to do', async () => {
    const runs = dynamoScheduledRuns(dynamoDbClient(), 'Tokenkeeper-nowhere')
    await expect(runs.started('fyers', MONDAY)).rejects.toMatchObject({
      name: 'StateStoreError',
      fix: expect.stringContaining('there is no table Tokenkeeper-nowhere'),
    })
  })
})

describe('R3.9 the daily check', () => {
  let output: ReturnType<typeof captureOutput>

  beforeEach(() => {
    output = captureOutput()
  })
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
  })

  test('pages whoever is to be paged when a schedule is dead, and is content once it lives', async () => {
    const client = dynamoDbClient()
    const table = await newStateTable(client)
    const sns = await snsClient()
    const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'Tokenkeeper-alerts' }))
    const queue = await Queue.create(String(process.env['AWS_ENDPOINT_URL']), 'pages')
    const Attributes = { FilterPolicy: JSON.stringify({ severity: ['page'], broker: ['upstox'] }) }
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queue.arn, Attributes }))
    vi.stubEnv('TOKENKEEPER_TOPIC_ARN', TopicArn)
    vi.stubEnv('TOKENKEEPER_STACK', 'Tokenkeeper')
    vi.stubEnv('TOKENKEEPER_TABLE', table)
    vi.stubEnv('TOKENKEEPER_BROKERS', '{"upstox":{}}')
    const clock = new VirtualClock('2026-11-20T12:00:00+05:30')
    const check = () => subscriptionsHandler(clock)({ reason: 'schedule', only: 'runs' }, lambdaContext())

    expect(await check()).toEqual({ problems: 0, findings: [], missed: [] })
    clock.advance({ hours: 68, minutes: 45 })
    expect(await check()).toMatchObject({ missed: [{ broker: 'upstox' }] })
    const [page, ...others] = (await queue.receive()).map((body) => JSON.parse(body) as { Subject: string })
    expect(others).toEqual([])
    expect(page).toMatchObject({ Subject: 'Scheduled runs do not come: upstox' })
    // The look at the subscriptions is for seven in the morning.
    expect(output.text()).not.toContain('AlertSubscriptionProblems')

    await dynamoScheduledRuns(client, table).started('upstox', clock.now())
    expect(await check()).toMatchObject({ missed: [] })
    expect(await queue.receive()).toEqual([])
  })
})
