import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ssmClient } from '../../lib/aws/clients.ts'
import { parametersBelow, tryKey } from '../../lib/aws/stored-parameters.ts'
import { ConfigurationError } from '../../lib/model/errors.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { refusal, ScriptedAws } from './support/scripted-aws.ts'

const KEY = 'arn:aws:kms:ap-south-1:111111111111:key/11111111-1111-4111-8111-111111111111'
const OK = { body: { Version: 1, Parameters: [] } }

let aws: ScriptedAws
let clock: VirtualClock

beforeEach(async () => {
  aws = await ScriptedAws.start()
  clock = new VirtualClock('2026-11-23T07:00:00+05:30')
})
afterEach(() => aws.close())

const operations = () => aws.seen.map(({ headers }) => String(headers['x-amz-target']).split('.').at(-1))

describe('a key', () => {
  test.each([
    ['that is about to be deleted', refusal('InvalidKeyId', 'pending deletion')],
    ['that is disabled', refusal('KMSInvalidStateException')],
    [
      'that one may not write with',
      refusal('AccessDeniedException', 'not authorized to perform: kms:Encrypt'),
    ],
  ])('%s is found out before any secret is touched', async (_, answer) => {
    aws.answers = [answer]
    const error = await tryKey(ssmClient(), '/stock-pipeline', KEY).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(String(error)).toContain(`the key ${KEY} cannot be used; no secret was touched`)
    expect(operations()).toEqual(['PutParameter'])
    expect(aws.seen.every(({ body }) => body.includes('/stock-pipeline/vault/probe'))).toBe(true)
  })

  test('that one may write with and not read with is found out, too', async () => {
    aws.answers = [OK, refusal('AccessDeniedException', 'not authorized to perform: kms:Decrypt')]
    await expect(tryKey(ssmClient(), '/stock-pipeline', KEY)).rejects.toMatchObject({
      fix: expect.stringContaining('allow kms:Decrypt'),
    })
  })

  test('that works leaves nothing of the try behind', async () => {
    aws.answers = [OK]
    await tryKey(ssmClient(), '/stock-pipeline', KEY)
    await tryKey(ssmClient(), '/stock-pipeline', undefined)
    expect(operations()).toEqual([
      ...['PutParameter', 'GetParameters', 'DeleteParameter'],
      ...['PutParameter', 'GetParameters', 'DeleteParameter'],
    ])
    expect(aws.seen.map(({ body }) => body.includes(KEY))).toEqual([true, false, false, false, false, false])
  })
})

describe('what lies below a prefix', () => {
  const page = (names: readonly string[], NextToken?: string) => ({
    body: { Parameters: names.map((Name) => ({ Name, Type: 'SecureString', KeyId: KEY })), NextToken },
  })

  test('is read page by page, through what SSM takes at a time', async () => {
    const throttled = refusal('ThrottlingException', 'Rate exceeded')
    aws.answers = [
      page(['/p/fyers/pin'], 'more'),
      throttled,
      throttled,
      throttled,
      throttled,
      page(['/p/fyers/session']),
    ]
    const found = await parametersBelow(ssmClient(), '/p', clock)
    expect(found.map(({ path, keyId }) => [path, keyId])).toEqual([
      ['/p/fyers/pin', KEY],
      ['/p/fyers/session', KEY],
    ])
  })

  test('is not taken for nothing where it may not be read', async () => {
    aws.answers = [refusal('AccessDeniedException', 'not authorized to perform: ssm:DescribeParameters')]
    await expect(parametersBelow(ssmClient(), '/p', clock)).rejects.toMatchObject({
      code: 'configuration_invalid',
      fix: expect.stringContaining('allow ssm:DescribeParameters'),
    })
  })
})
