import { Annotations, Match } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import {
  arnText,
  FYERS_ONLY,
  roleStatements,
  stackOf,
  statementsOf,
  templateOf,
  variablesOf,
} from './template.ts'

const template = templateOf(FYERS_ONLY)
const REDIS = { url: 'rediss://redis.example.invalid:6380', defaultAccounts: ['upstox/ACC1'] }
const mirrored = templateOf({ ...FYERS_ONLY, mirrors: { redis: REDIS } })
const PASSWORD =
  'arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter/stock-pipeline/mirrors/redis_password'

describe('R2.8 the Redis mirror', () => {
  test('is told to the functions, without a password', () => {
    expect(variablesOf(mirrored, 'Tokenkeeper-fyers')).toMatchObject({
      TOKENKEEPER_REDIS_URL: REDIS.url,
      TOKENKEEPER_REDIS_DEFAULT_ACCOUNTS: 'upstox/ACC1',
    })
  })

  test('has its password read by the functions, and no other parameter beside it', () => {
    const [read, ...more] = statementsOf(mirrored, 'Tokenkeeper-fyers').filter(
      ({ Sid }) => Sid === 'RedisPassword',
    )
    expect(more).toEqual([])
    expect(read?.Action).toBe('ssm:GetParameters')
    expect(arnText(read?.Resource)).toBe(PASSWORD)
    expect(JSON.stringify(template.toJSON())).not.toMatch(/redis/i)
  })

  test('has its password opened with the stack’s own key, for SSM and for this parameter only', () => {
    const withKey = templateOf({ ...FYERS_ONLY, mirrors: { redis: REDIS }, customerManagedKey: true })
    const open = roleStatements(withKey).find(({ Sid }) => Sid === 'RedisPasswordKey')
    expect(open?.Action).toBe('kms:Decrypt')
    const { StringEquals = {} } = (open?.Condition ?? {}) as Record<string, Record<string, unknown>>
    expect(Object.fromEntries(Object.entries(StringEquals).map(([key, arn]) => [key, arnText(arn)]))).toEqual(
      {
        'kms:ViaService': 'ssm.<AWS::Region>.amazonaws.com',
        'kms:EncryptionContext:PARAMETER_ARN': PASSWORD,
      },
    )
  })

  test('on loopback is left to the laptop that shares the configuration, and synth says so', () => {
    for (const url of ['redis://127.0.0.1:6379', 'rediss://localhost', 'redis://[::1]:6379/1']) {
      const stack = stackOf({ ...FYERS_ONLY, mirrors: { redis: { url } } })
      Annotations.fromStack(stack).hasWarning('*', Match.stringLikeRegexp('the stack mirrors no token'))
    }
    const local = templateOf({ ...FYERS_ONLY, mirrors: { redis: { url: 'redis://127.0.0.1:6379' } } })
    expect(local.toJSON()).toEqual(template.toJSON())
    Annotations.fromStack(stackOf({ ...FYERS_ONLY, mirrors: { redis: REDIS } })).hasNoWarning(
      '*',
      Match.anyValue(),
    )
  })

  test('and files are things of the local backend: the stack ignores them', () => {
    const files = [{ path: '.env' }]
    expect(templateOf({ ...FYERS_ONLY, mirrors: { files } }).toJSON()).toEqual(template.toJSON())
  })
})
