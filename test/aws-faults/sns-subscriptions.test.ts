import { inspect } from 'node:util'
import type { SNSClient } from '@aws-sdk/client-sns'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { snsClient } from '../../lib/aws/clients.ts'
import { confirmSubscription, subscriptionsOf } from '../../lib/aws/sns/sns-subscriptions.ts'
import { findingsOf } from '../../lib/aws/sns/subscription-findings.ts'
import { maskSecrets, Secret } from '../../lib/model/secrets/secret.ts'
import { useEnvironment } from '../aws/support/emulator.ts'
import { SnsStandIn, type StandInSubscription, TOPIC } from '../support/sns-stand-in.ts'

// moto confirms every subscription at once, and by a signed call: nothing here would ever be pending, unprotected,
// removed or another account's. ministack knows pending ones (test/aws/sns-subscriptions.test.ts).

const ASHA = 'asha@example.invalid'
const BINA = 'bina@example.invalid'
const TOKEN = new Secret('2336412f37fb687f5d51e6e241d09c80')

let sns: SnsStandIn
let client: SNSClient
let restore: () => void

beforeEach(async () => {
  sns = await SnsStandIn.start()
  restore = useEnvironment(sns.endpoint)
  client = await snsClient()
})

afterEach(async () => {
  restore()
  client.destroy()
  await sns.close()
})

function mail(
  endpoint: string,
  state: StandInSubscription['state'],
  more: Partial<StandInSubscription> = {},
) {
  return { protocol: 'email', endpoint, state, ...more }
}

async function states(): Promise<readonly string[]> {
  return (await subscriptionsOf(TOPIC, client)).map(({ state }) => state)
}

async function findings(...configured: string[]) {
  return findingsOf(TOPIC, await subscriptionsOf(TOPIC, client), configured)
}

describe('a subscription', () => {
  test('by mail is protected exactly when its confirmation was signed', async () => {
    sns.subscriptions = [
      mail(ASHA, 'confirmed by a signed call'),
      mail(BINA, 'confirmed by link'),
      mail('cyra@example.invalid', 'pending'),
      mail('devi@example.invalid', 'removed'),
    ]
    expect(await states()).toEqual(['protected', 'unprotected', 'pending', 'removed'])
  })

  test('that needs IAM to be removed is protected, and SNS is not asked about it', async () => {
    sns.subscriptions = ['sqs', 'lambda', 'firehose', 'sms'].map((protocol) => ({
      protocol,
      endpoint: 'arn:aws:sqs:us-east-1:111122223333:watch',
      state: 'confirmed by link',
    }))
    expect(await states()).toEqual(['protected', 'protected', 'protected', 'protected'])
    expect(sns.callsOf('GetSubscriptionAttributes')).toEqual([])
  })

  test('that another account made nobody here may look at: it counts as unprotected', async () => {
    sns.subscriptions = [mail(ASHA, 'confirmed by a signed call', { owner: '444455556666' })]
    expect(await states()).toEqual(['unprotected'])
  })

  test('is found on whatever page of the list it stands', async () => {
    sns.pageSize = 2
    sns.subscriptions = Array.from({ length: 5 }, (_, number) =>
      mail(`user${number}@example.invalid`, 'confirmed by a signed call'),
    )
    expect(await states()).toHaveLength(5)
    expect(sns.callsOf('ListSubscriptionsByTopic')).toHaveLength(3)
  })

  test('that went while we looked is left out', async () => {
    sns.subscriptions = [mail(ASHA, 'confirmed by link')]
    sns.refused.set('GetSubscriptionAttributes', { code: 'NotFound', status: 404 })
    expect(await states()).toEqual([])
  })

  test.each([
    ['email', ASHA, 'a…@example.invalid'],
    ['email', 'a@example.invalid', '…@example.invalid'],
    ['email', 'nonsense', '…'],
    ['https', 'https://hooks.example.invalid/canary-key-of-the-hook?x=1', 'https://hooks.example.invalid/…'],
    ['sms', '+911234567890', '…890'],
    ['sqs', 'arn:aws:sqs:us-east-1:111122223333:watch', 'watch'],
  ])('by %s to %s is shown as %s, however it is printed', async (protocol, endpoint, shown) => {
    sns.subscriptions = [{ protocol, endpoint, state: 'confirmed by a signed call' }]
    const found = await subscriptionsOf(TOPIC, client)
    expect(found).toMatchObject([{ endpoint: shown }])
    for (const print of [JSON.stringify(found), inspect(found, { depth: 9 })]) {
      expect(print).not.toContain(endpoint)
      expect(print).not.toContain('canary')
    }
  })
})

test('the address of a web hook is blanked out of whatever is printed from then on, since it may hold a key', async () => {
  const endpoint = 'https://hooks.example.invalid/services/canary'
  sns.subscriptions = [{ protocol: 'https', endpoint, state: 'confirmed by link' }]
  await subscriptionsOf(TOPIC, client)
  expect(maskSecrets(`cannot reach ${endpoint}`)).toBe('cannot reach [secret]')
})

describe('findings', () => {
  test('are none when all that is configured is confirmed and protected, whatever its case', async () => {
    sns.subscriptions = [mail(ASHA, 'confirmed by a signed call')]
    expect(await findings('Asha@Example.invalid')).toEqual([])
  })

  test('name the commands when there is no subscription at all', async () => {
    expect(await findings()).toEqual([
      {
        problem: 'missing',
        says: expect.stringContaining('nobody is told'),
        fix: expect.stringMatching(
          new RegExp(`aws sns subscribe --topic-arn ${TOPIC} .* tokenkeeper alerts confirm$`),
        ),
      },
    ])
  })

  test('do not take a queue or a function for a person, nor a mail that is not confirmed', async () => {
    sns.subscriptions = [
      { protocol: 'sqs', endpoint: 'arn:aws:sqs:us-east-1:111122223333:watch', state: 'confirmed by link' },
      mail(ASHA, 'pending'),
    ]
    const found = await findings(ASHA)
    expect(found.map(({ problem }) => problem)).toEqual(['missing', 'pending'])
    expect(found[1]).toEqual({
      problem: 'pending',
      says: 'a…@example.invalid has not confirmed its subscription, and SNS drops it 48 hours after it was made',
      fix: 'copy the link of its mail without opening it, and run tokenkeeper alerts confirm',
    })
  })

  test.each(['https', 'sms'])('take %s for somebody who hears', async (protocol) => {
    const endpoint = 'https://hooks.example.invalid/x'
    sns.subscriptions = [{ protocol, endpoint, state: 'confirmed by link' }]
    expect(await findings()).toEqual([])
  })

  test('name a configured address that is gone although another one is there', async () => {
    sns.subscriptions = [mail(ASHA, 'confirmed by a signed call'), mail(BINA, 'removed')]
    const found = await findings(ASHA, BINA)
    expect(found).toMatchObject([{ problem: 'missing', says: expect.stringContaining('b…@example.invalid') }])
    expect(JSON.stringify(found)).not.toContain('bina')
  })

  test('leave in peace an address that was taken out of the configuration', async () => {
    sns.subscriptions = [mail(ASHA, 'confirmed by a signed call'), mail(BINA, 'removed')]
    expect(await findings(ASHA)).toEqual([])
  })

  test('say how an unprotected one becomes protected', async () => {
    sns.subscriptions = [mail(ASHA, 'confirmed by link')]
    const [{ problem = '', fix = '' } = {}] = await findings(ASHA)
    expect(problem).toBe('unprotected')
    expect(fix).toMatch(
      /^run aws sns unsubscribe --subscription-arn arn:aws:sns:\S+ and aws sns subscribe .* tokenkeeper alerts confirm$/,
    )
  })
})

describe('a confirmation', () => {
  test('is signed, asks for protection, and is looked at', async () => {
    sns.subscriptions = [mail(ASHA, 'pending', { token: TOKEN.reveal() })]
    const { state } = await confirmSubscription(TOPIC, TOKEN, client)
    expect(state).toBe('protected')
    expect(sns.callsOf('ConfirmSubscription')).toMatchObject([
      { TopicArn: TOPIC, Token: TOKEN.reveal(), AuthenticateOnUnsubscribe: 'true' },
    ])
    expect(await findings(ASHA)).toEqual([])
  })

  test('by a link that somebody had opened says that nothing is protected', async () => {
    sns.subscriptions = [mail(ASHA, 'confirmed by link', { token: TOKEN.reveal() })]
    expect(await confirmSubscription(TOPIC, TOKEN, client)).toMatchObject({ state: 'unprotected' })
  })

  test('with a token SNS does not know says which link to take, and does not repeat the token', async () => {
    const refused = confirmSubscription(TOPIC, TOKEN, client)
    await expect(refused).rejects.toMatchObject({
      code: 'configuration_invalid',
      fix: expect.stringContaining('newest confirmation mail'),
    })
    await refused.catch((error) => expect(inspect(error)).not.toContain(TOKEN.reveal()))
  })

  test('that SNS does not authorize may be one too many, or one without the right', async () => {
    sns.refused.set('ConfirmSubscription', { code: 'AuthorizationError', status: 403 })
    await expect(confirmSubscription(TOPIC, TOKEN, client)).rejects.toMatchObject({
      fix: expect.stringMatching(/opened before; else allow sns:ConfirmSubscription/),
    })
  })
})

test.each(['ListSubscriptionsByTopic', 'GetSubscriptionAttributes'])(
  'who may not call %s is told the right that is missing',
  async (operation) => {
    sns.subscriptions = [mail(ASHA, 'confirmed by link')]
    sns.refused.set(operation, { code: 'AuthorizationError', status: 403 })
    await expect(subscriptionsOf(TOPIC, client)).rejects.toMatchObject({
      code: 'configuration_invalid',
      fix: `allow sns:${operation} on topic ${TOPIC} for the role or user that runs this`,
    })
  },
)

test('a topic that is gone is named, with what to do', async () => {
  sns.refused.set('ListSubscriptionsByTopic', { code: 'NotFound', status: 404 })
  await expect(subscriptionsOf(TOPIC, client)).rejects.toMatchObject({
    fix: expect.stringContaining('deploy the stack again'),
  })
})
