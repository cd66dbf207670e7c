import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { snsEvents } from '../../lib/aws/sns/sns-events.ts'
import { eventJson } from '../../lib/channels/event-json.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import type { Subscriber } from '../../lib/ports/subscriber.ts'
import { useEnvironment } from '../aws/support/emulator.ts'
import { endsWithin } from '../support/ends-within.ts'
import { freePort } from '../support/free-port.ts'
import { PUBLICATION } from '../support/publication.ts'
import { SnsStandIn } from '../support/sns-stand-in.ts'
import { ScriptedAws } from './support/scripted-aws.ts'

const TOPIC = 'arn:aws:sns:us-east-1:111122223333:Tokenkeeper-tokens'

describe('an event', () => {
  test('says which token of which account was published, how long it lives and where it came from', () => {
    expect(eventJson(PUBLICATION)).toEqual({
      version: 1,
      kind: 'token_published',
      account: 'fyers/papa',
      broker: 'fyers',
      generation: 7,
      issuedAt: '2026-11-23T01:30:00.25Z',
      expiresAt: '2026-11-24T00:30:00Z',
      provenAt: '2026-11-23T01:30:01Z',
      source: 'refresh_token',
    })
  })

  test('leaves out a source nobody knows', () => {
    expect(Object.keys(eventJson({ ...PUBLICATION, source: undefined }))).not.toContain('source')
  })

  test('has nothing of a publication but these fields, whatever may be added to one', () => {
    const more = { ...PUBLICATION, refreshToken: new Secret('CANARY-REFRESH-TOKEN'), note: 'CANARY' }
    expect(eventJson(more)).toEqual(eventJson(PUBLICATION))
  })
})

describe('the topic', () => {
  let sns: SnsStandIn
  let restore: () => void
  let events: Subscriber

  beforeEach(async () => {
    sns = await SnsStandIn.start()
    restore = useEnvironment(sns.endpoint)
    events = snsEvents({ topicArn: TOPIC })
  })
  afterEach(async () => {
    restore()
    await sns.close()
  })

  test('gets one message per publication, with neither the token nor a subject', async () => {
    await events.onPublished(PUBLICATION)
    expect(sns.calls).toMatchObject([{ Action: 'Publish', TopicArn: TOPIC }])
    const [sent = {}] = sns.calls
    expect(JSON.parse(sent['Message'] ?? '')).toEqual(eventJson(PUBLICATION))
    expect(sent).not.toHaveProperty('Subject')
    expect(JSON.stringify(sns.calls)).not.toContain(PUBLICATION.accessToken.reveal())
  })

  test('hears nothing of an account that is withdrawn', async () => {
    await events.onWithdrawn(PUBLICATION.account)
    expect(sns.calls).toEqual([])
  })

  test('that may not be published to is an error that names the permission', async () => {
    sns.refused.set('Publish', { code: 'AuthorizationError', status: 403 })
    await expect(events.onPublished(PUBLICATION)).rejects.toMatchObject({
      name: 'SubscriberError',
      code: 'subscriber_failed',
      fix: `allow sns:Publish on topic ${TOPIC} for the role or user that runs this`,
    })
  })
})

test('an unreachable SNS fails within seconds, and says what to check', async () => {
  const restore = useEnvironment(`http://127.0.0.1:${await freePort()}`)
  await expect(snsEvents({ topicArn: TOPIC }).onPublished(PUBLICATION)).rejects.toMatchObject({
    name: 'SubscriberError',
    message: expect.stringContaining('ECONNREFUSED'),
    fix: expect.stringContaining('check the network'),
  })
  restore()
})

test('an SNS that takes the message and never answers holds a run up for five seconds, not for each attempt', async () => {
  const aws = await ScriptedAws.start()
  aws.answers = ['no answer']
  const publish = () => snsEvents({ topicArn: TOPIC }).onPublished(PUBLICATION)
  await expect(endsWithin(7_000, publish)).rejects.toMatchObject({
    name: 'SubscriberError',
    message: expect.stringContaining('SNS did not answer'),
  })
  await aws.close()
})
