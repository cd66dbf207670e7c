import { CreateTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { alarmsHandler } from '../../functions/runtime/alarms/alarms-handler.ts'
import { snsClient } from '../../lib/aws/clients.ts'
import { captureOutput, lambdaContext } from '../functions/lambda.ts'
import { alarmEvent } from '../support/alarm-event.ts'
import { withMoto } from './support/moto-world.ts'
import { Queue } from './support/queue.ts'

withMoto()

let output: ReturnType<typeof captureOutput>

beforeEach(() => {
  output = captureOutput()
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

async function subscribed(filter: object): Promise<Queue> {
  const sns = await snsClient()
  const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'Tokenkeeper-alerts' }))
  vi.stubEnv('TOKENKEEPER_TOPIC_ARN', TopicArn)
  const queue = await Queue.create(String(process.env['AWS_ENDPOINT_URL']), `queue-${Object.keys(filter)[0]}`)
  const Attributes = { FilterPolicy: JSON.stringify(filter) }
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queue.arn, Attributes }))
  return queue
}

test('R3.9 who subscribed to pages alone hears an alarm, and of its end who subscribed to the broker', async () => {
  const pages = await subscribed({ severity: ['page'] })
  const broker = await subscribed({ broker: ['fyers'] })
  const handler = alarmsHandler()
  expect(await handler(alarmEvent(), lambdaContext())).toEqual({ told: true })
  expect(await handler(alarmEvent({ from: 'ALARM', to: 'OK' }), lambdaContext())).toEqual({ told: true })
  expect(await handler(alarmEvent({ from: 'INSUFFICIENT_DATA', to: 'OK' }), lambdaContext())).toEqual({
    told: false,
  })
  const subjects = async (queue: Queue) =>
    (await queue.receive()).map((body) => (JSON.parse(body) as { Subject: string }).Subject)
  const [off, over] = [
    'Alarm: Tokenkeeper cannot renew accounts of FYERS',
    'Solved: Tokenkeeper cannot renew accounts of FYERS',
  ]
  expect(await subjects(pages)).toEqual([off])
  expect((await subjects(broker)).toSorted()).toEqual([off, over])
  expect(output.text()).toContain(off)
})

test('a topic that is gone makes the function fail, which is what its own alarm is on', async () => {
  vi.stubEnv('TOKENKEEPER_TOPIC_ARN', 'arn:aws:sns:us-east-1:123456789012:gone')
  await expect(alarmsHandler()(alarmEvent(), lambdaContext())).rejects.toThrow(/deploy the stack again/)
})
