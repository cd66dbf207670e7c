import { marshall } from '@aws-sdk/util-dynamodb'
import { Temporal } from 'temporal-polyfill'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { composeFromEnvironment } from '../../functions/runtime/compose.ts'
import { lambdaTelemetry } from '../../functions/runtime/telemetry.ts'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { useEnvironment } from '../aws/support/emulator.ts'
import { ScriptedAws } from '../aws-faults/support/scripted-aws.ts'
import { ALERT } from '../contracts/notifier-contract.ts'
import { freePort } from '../support/free-port.ts'
import { proxyTo } from '../support/network.ts'
import { PUBLICATION } from '../support/publication.ts'
import { SnsStandIn } from '../support/sns-stand-in.ts'

const ALERTS = 'arn:aws:sns:us-east-1:111122223333:Tokenkeeper-alerts'
const EVENTS = 'arn:aws:sns:us-east-1:111122223333:Tokenkeeper-tokens'

afterEach(() => vi.unstubAllEnvs())

/** The ports of a function of FYERS with these variables beside those it always has. */
function portsWith(variables: Readonly<Record<string, string>>) {
  const all = {
    AWS_REGION: 'us-east-1',
    AWS_LAMBDA_FUNCTION_NAME: 'Tokenkeeper-fyers',
    TOKENKEEPER_PREFIX: '/stock-pipeline',
    TOKENKEEPER_TABLE: 'Tokenkeeper-state',
    TOKENKEEPER_TOPIC_ARN: ALERTS,
    TOKENKEEPER_BROKERS: '{"fyers":{"pacingSeconds":1}}',
    ...variables,
  }
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value)
  return composedWith().ports
}

const composedWith = () => composeFromEnvironment(fyers, lambdaTelemetry('fyers'))

describe('what the owner says of trading days', () => {
  test('is read along with the first records, once, and is what the broker’s session goes by', async () => {
    const aws = await ScriptedAws.start()
    const days = { closed: [{ market: 'in-equity', date: '2027-01-15' }], sessions: [] }
    const Item = marshall({ pk: 'markets', sk: 'days', days, revision: 1 })
    aws.answers = [{ body: { Items: [], Item } }]
    portsWith({})
    const { ports, broker } = composedWith()
    const session = broker.tradingSession?.of(['in-equity'])
    const friday = Temporal.PlainDate.from('2027-01-15')
    expect(session?.on(friday)).toBeDefined()
    for (let time = 0; time < 2; time++)
      for await (const _ of ports.states.list('fyers')) expect.unreachable()
    expect(session?.on(friday)).toBeUndefined()
    const targets = aws.seen.map(({ headers }) => String(headers['x-amz-target']).split('.')[1])
    expect(targets.toSorted()).toEqual(['GetItem', 'Query', 'Query'])
    await aws.close()
  })
})

describe('the way to brokers', () => {
  test('is the proxy of the function’s environment, looked at with the first call', async () => {
    const proxy = await proxyTo(await freePort())
    proxy.answer = 407
    const { http } = portsWith({ HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` })
    const call = { method: 'GET', url: 'https://api.broker.invalid/', timeoutMs: 2_000 } as const
    await expect(http.send(call)).rejects.toMatchObject({ sent: false, reason: 'PROXY_ANSWERED_407' })
    await proxy.close()
    const wrong = portsWith({ HTTPS_PROXY: 'http://[nonsense' })
    await expect(wrong.http.send(call)).rejects.toMatchObject({ code: 'configuration_invalid' })
  })
})

describe('told of each published token', () => {
  test('is nobody, the topic of the events or a Redis mirror, as the environment says', () => {
    expect(portsWith({}).subscribers).toEqual([])
    const events = portsWith({ TOKENKEEPER_EVENTS_TOPIC_ARN: EVENTS }).subscribers
    expect(events?.map(({ name }) => name)).toEqual(['topic of events'])
    // It has nothing to put back: a run that finds all tokens fresh pays nothing for it.
    expect(events?.map(({ onStillCurrent: kept }) => kept)).toEqual([undefined])
    const both = portsWith({ TOKENKEEPER_REDIS_URL: 'rediss://redis.example.invalid' }).subscribers
    expect(both?.map(({ name }) => name)).toEqual(['topic of events', 'Redis mirror'])
  })

  test('is the topic of the events, and of alerts their own', async () => {
    const sns = await SnsStandIn.start()
    const restore = useEnvironment(sns.endpoint)
    const { notifier, subscribers: [events] = [] } = portsWith({ TOKENKEEPER_EVENTS_TOPIC_ARN: EVENTS })
    await notifier.notify(ALERT)
    await events?.onPublished(PUBLICATION)
    expect(sns.callsOf('Publish').map(({ TopicArn }) => TopicArn)).toEqual([ALERTS, EVENTS])
    restore()
    await sns.close()
  })

  test.each([
    [{}, 'npx tokenkeeper --backend aws'],
    [{ TOKENKEEPER_COMMAND: 'npx tokenkeeper' }, 'npx tokenkeeper'],
  ])('reads commands as they are called where the stack was deployed from: %o', async (variables, call) => {
    const sns = await SnsStandIn.start()
    const restore = useEnvironment(sns.endpoint)
    await portsWith(variables).notifier.notify(ALERT)
    const [{ Message = '{}' } = {}] = sns.callsOf('Publish')
    const { email, sqs } = JSON.parse(Message)
    expect(email).toContain(`${call} login fyers/papa\n`)
    expect(JSON.parse(sqs).action).toBe(`log in before 09:15: ${call} login fyers/papa`)
    restore()
    await sns.close()
  })

  test('R2.8 is the mirror, of each publication, confirmation and withdrawal, with the stored password', async () => {
    const aws = await ScriptedAws.start()
    aws.answers = [{ body: { Parameters: [], InvalidParameters: [] } }]
    const address = `127.0.0.1:${await freePort()}`
    const [mirror] = portsWith({ TOKENKEEPER_REDIS_URL: `redis://${address}` }).subscribers ?? []
    expect(aws.seen).toEqual([])
    const away = { name: 'SubscriberError', message: expect.stringContaining(address) }
    await expect(mirror?.onStillCurrent?.(PUBLICATION)).rejects.toMatchObject(away)
    await expect(mirror?.onPublished(PUBLICATION)).rejects.toMatchObject(away)
    await expect(mirror?.onWithdrawn(PUBLICATION.account)).rejects.toMatchObject(away)
    expect(aws.seen.map(({ body }) => JSON.parse(body).Names)).toEqual([
      ['/stock-pipeline/mirrors/redis_password'],
    ])
    await aws.close()
  })
})
