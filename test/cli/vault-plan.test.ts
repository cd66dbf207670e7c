import { describe, expect, test } from 'vitest'
import type { DescribedFunction } from '../../lib/cli/backend/aws-functions.ts'
import { paced } from '../../lib/cli/vault/paced.ts'
import { planOf, sizeOf } from '../../lib/cli/vault/plan.ts'
import { assertDeployed, deployedKeyArn, presentKey } from '../../lib/cli/vault/present-key.ts'
import { parseConfig } from '../../lib/config.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'

const ID = '11111111-1111-4111-8111-111111111111'
const OTHER = 'arn:aws-cn:kms:cn-north-1:222222222222:key/22222222-2222-4222-8222-222222222222'
const PREFIX = '/stock-pipeline'
const secure = (path: string, keyId?: string) => ({
  path,
  isSecure: true,
  keyId,
  isAdvanced: false,
  arn: undefined,
})

function functionWith(keyId: string): DescribedFunction {
  return {
    name: 'Tokenkeeper-fyers',
    state: 'Active',
    topicArn: '',
    eventsTopicArn: '',
    keyId,
    prefix: PREFIX,
    partition: 'aws-cn',
    accountNumber: '111111111111',
    region: 'cn-north-1',
  }
}

describe('the plan', () => {
  const own = presentKey(parseConfig({ customerManagedKey: true }), functionWith(ID))

  test('moves what lies under another key, by account, and leaves what is there, plain or none of ours', () => {
    const plan = planOf(
      [
        secure(`${PREFIX}/fyers/pin`, 'alias/aws/ssm'),
        secure(`${PREFIX}/fyers/client_secret`),
        secure(`${PREFIX}/iifl/28748327/password`, OTHER),
        secure(`${PREFIX}/site/signing_key`, OTHER),
        secure(`${PREFIX}/fyers/access_token`, ID),
        secure(`${PREFIX}/fyers/session`, `arn:aws-cn:kms:cn-north-1:111111111111:key/${ID}`),
        secure(`${PREFIX}/fyers/refresh_token`, 'alias/Tokenkeeper'),
        secure(`${PREFIX}/vault/probe`, OTHER),
        secure(`${PREFIX}/somebody/elses/own/pin`, OTHER),
        {
          path: `${PREFIX}/fyers/client_id`,
          isSecure: false,
          keyId: undefined,
          isAdvanced: false,
          arn: undefined,
        },
        { path: `${PREFIX}/owner`, isSecure: false, keyId: undefined, isAdvanced: false, arn: undefined },
      ],
      PREFIX,
      own,
    )
    expect(Object.fromEntries(plan.moves)).toEqual({
      fyers: ['pin', 'client_secret'],
      'iifl/28748327': ['password'],
      site: ['signing_key'],
    })
    expect(Object.fromEntries(plan.from)).toEqual({
      'alias/aws/ssm': 2,
      '22222222-2222-4222-8222-222222222222': 2,
    })
    expect({ there: plan.there, plain: plan.plain, size: sizeOf(plan) }).toEqual({
      there: 3,
      plain: [{ path: `${PREFIX}/fyers/client_id`, account: 'fyers', name: 'client_id' }],
      size: 4,
    })
  })
})

describe('the present key', () => {
  test('is what functions write with: an id of the stack’s own, an ARN, or nothing for aws/ssm', () => {
    expect(presentKey(parseConfig({ customerManagedKey: true }), functionWith(ID)).keyId).toBe(ID)
    expect(presentKey(parseConfig({ customerManagedKey: true }), undefined).keyId).toBe('alias/Tokenkeeper')
    expect(presentKey(parseConfig({ keyArn: OTHER }), functionWith(OTHER)).keyId).toBe(OTHER)
    expect(presentKey(parseConfig({}), functionWith('')).keyId).toBeUndefined()
    expect(deployedKeyArn(functionWith(ID))).toBe(`arn:aws-cn:kms:cn-north-1:111111111111:key/${ID}`)
    expect([deployedKeyArn(functionWith(OTHER)), deployedKeyArn(functionWith(''))]).toEqual([
      OTHER,
      undefined,
    ])
  })

  test.each([
    ['aws/ssm, functions still with their own', {}, ID],
    ['another one, functions still with aws/ssm', { keyArn: OTHER }, ''],
    ['the stack’s own, functions still with another one', { customerManagedKey: true }, OTHER],
  ])('is not used before it is deployed: %s', (_, settings, deployed) => {
    const config = parseConfig(settings)
    expect(() => assertDeployed(config, [functionWith(deployed)])).toThrow('and cdk.json names another key')
  })

  test('is used once it is deployed', () => {
    assertDeployed(parseConfig({}), [functionWith('')])
    assertDeployed(parseConfig({ keyArn: OTHER }), [functionWith(OTHER)])
    assertDeployed(parseConfig({ customerManagedKey: true }), [functionWith(ID)])
  })
})

test('writes go at their pace, however many wait for a turn', async () => {
  const clock = new VirtualClock('2026-11-23T07:00:00+05:30')
  const startedAt = clock.now()
  const turn = paced(3, clock)
  const at: number[] = []
  const three = async () => {
    for (let i = 0; i < 3; i++) {
      await turn()
      at.push(startedAt.until(clock.now()).total('milliseconds'))
    }
  }
  await three()
  expect(at).toEqual([0, 334, 668])
  clock.advance({ minutes: 1 })
  await Promise.all([turn(), turn()])
  // Whoever comes late makes up for nothing.
  expect(startedAt.until(clock.now()).total('milliseconds')).toBe(668 + 60_000 + 334)
})
