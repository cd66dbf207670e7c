import type { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import {
  actionsOf,
  resourcesOf,
  type Statement,
  statementsOf,
  TWO_BROKERS,
  templateOf,
  variablesOf,
} from './template.ts'

const REDIS = { url: 'rediss://redis.example.invalid:6380' }
const FIRST = 'arn:aws:kms:ap-south-1:111111111111:key/11111111-1111-4111-8111-111111111111'
const SECOND = 'arn:aws:kms:ap-south-1:222222222222:key/22222222-2222-4222-8222-222222222222'
const WRITES = ['kms:Encrypt', 'kms:GenerateDataKey']

function stackWith(keys: Record<string, unknown>): Template {
  return templateOf({ ...TWO_BROKERS, mirrors: { redis: REDIS }, ...keys })
}

/** The keys a role, or a policy for programs, may open with and write with, each once; `own` is the stack's. */
function keysIn(statements: readonly Statement[]): { readonly opens: unknown[]; readonly writes: unknown[] } {
  const keysOf = (allowed: (action: string) => boolean): unknown[] => {
    const of = statements.filter((one) => actionsOf(one).some(allowed))
    return [...new Set(of.flatMap(({ Resource }) => [Resource].flat().map(nameOf)))].toSorted()
  }
  return {
    opens: keysOf((action) => action === 'kms:Decrypt'),
    writes: keysOf((action) => WRITES.includes(action)),
  }
}

function nameOf(key: unknown): unknown {
  return JSON.stringify(key).includes('VaultKey') ? 'own' : key
}

/** What each place that touches secrets may do with which key. */
function reach(template: Template): Readonly<Record<string, ReturnType<typeof keysIn>>> {
  const consumers = resourcesOf(template, 'AWS::IAM::ManagedPolicy').flatMap(
    ({ Properties }) => (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement,
  )
  return {
    fyers: keysIn(statementsOf(template, 'Tokenkeeper-fyers')),
    upstox: keysIn(statementsOf(template, 'Tokenkeeper-upstox')),
    site: keysIn(statementsOf(template, 'Tokenkeeper-site')),
    rest: keysIn(statementsOf(template, 'Tokenkeeper-rest')),
    consumers: keysIn(consumers),
  }
}

/** All of them open with the same keys; brokers alone write. */
function reachOf(opens: readonly unknown[], writes: readonly unknown[]): ReturnType<typeof reach> {
  const reads = { opens: [...opens].toSorted(), writes: [] }
  const broker = { ...reads, writes: [...writes].toSorted() }
  return { fyers: broker, upstox: broker, site: reads, rest: reads, consumers: reads }
}

describe('each role may open secrets with', () => {
  test.each([
    ['no key of ours by default', {}, [], []],
    ['the stack’s own', { customerManagedKey: true }, ['own'], ['own']],
    ['one that exists', { keyArn: FIRST }, [FIRST], [FIRST]],
    ['an earlier one after the switch to aws/ssm', { previousKeyArns: [FIRST] }, [FIRST], []],
    [
      'an earlier one after the switch to the stack’s own',
      { customerManagedKey: true, previousKeyArns: [FIRST] },
      ['own', FIRST],
      ['own'],
    ],
    [
      'all there have been after several switches',
      { keyArn: FIRST, previousKeyArns: [SECOND] },
      [FIRST, SECOND],
      [FIRST],
    ],
  ])('%s', (_, keys, opens, writes) => {
    expect(reach(stackWith(keys))).toEqual(reachOf(opens, writes))
  })

  test('the password of the mirror and the key of the links by the same keys', () => {
    const template = stackWith({ keyArn: FIRST, previousKeyArns: [SECOND] })
    const own = statementsOf(template, 'Tokenkeeper-fyers').filter(({ Sid }) =>
      ['SigningKeyKey', 'RedisPasswordKey'].includes(String(Sid)),
    )
    expect(own.map(({ Resource }) => Resource)).toEqual([
      [FIRST, SECOND],
      [FIRST, SECOND],
    ])
  })

  test('an earlier key on the same condition as the present one: by way of SSM, for its own parameters', () => {
    const template = stackWith({ keyArn: FIRST, previousKeyArns: [SECOND] })
    const [present, earlier] = ['OwnParametersKey', 'OwnParametersEarlierKeys'].map((sid) =>
      statementsOf(template, 'Tokenkeeper-fyers').find(({ Sid }) => Sid === sid),
    )
    expect(earlier?.Condition).toEqual(present?.Condition)
    expect(earlier?.Condition).toBeDefined()
  })
})

describe('the stack', () => {
  test('makes no key where one is named, and tells functions its ARN', () => {
    const template = stackWith({ keyArn: FIRST })
    template.resourceCountIs('AWS::KMS::Key', 0)
    expect(variablesOf(template, 'Tokenkeeper-fyers')).toMatchObject({ TOKENKEEPER_KEY_ID: FIRST })
    template.hasOutput('VaultKeyArn', { Value: FIRST })
  })

  test('tells the ARN of its own key, which cdk.json has to name once it is given up', () => {
    const [key] = Object.keys(stackWith({ customerManagedKey: true }).findResources('AWS::KMS::Key'))
    stackWith({ customerManagedKey: true }).hasOutput('VaultKeyArn', {
      Value: { 'Fn::GetAtt': [key, 'Arn'] },
    })
  })

  test('refuses two keys to write with, and an alias, behind which the key can change', () => {
    expect(() => stackWith({ customerManagedKey: true, keyArn: FIRST })).toThrow(
      'cdk.json has customerManagedKey and keyArn: values can be encrypted under one key',
    )
    expect(() => stackWith({ keyArn: 'arn:aws:kms:ap-south-1:111111111111:alias/mine' })).toThrow(
      'keyArn: write the ARN of a key, no alias',
    )
    expect(() => stackWith({ previousKeyArns: ['alias/mine'] })).toThrow('previousKeyArns.0: write the ARN')
  })
})
