import { describe, expect, test } from 'vitest'
import type { DescribedFunction } from '../../lib/cli/backend/aws-functions.ts'
import { assertKeyIsKept, assertOpenable, assertSamePrefix } from '../../lib/cli/vault/stays-readable.ts'
import { parseConfig } from '../../lib/config.ts'

const OWN = '11111111-1111-4111-8111-111111111111'
const OWN_ARN = `arn:aws:kms:ap-south-1:111111111111:key/${OWN}`
const OTHER = 'arn:aws:kms:ap-south-1:222222222222:key/22222222-2222-4222-8222-222222222222'
const ALIAS = 'alias/Tokenkeeper'

const deployedWith = (keyId: string): DescribedFunction => ({
  name: 'Tokenkeeper-fyers',
  state: 'Active',
  topicArn: '',
  eventsTopicArn: '',
  keyId,
  prefix: '/tokenkeeper',
  partition: 'aws',
  accountNumber: '111111111111',
  region: 'ap-south-1',
})

const under = (keyId: string) => [
  {
    path: '/tokenkeeper/fyers/pin',
    isSecure: true,
    keyId,
    isAdvanced: false,
    arn: 'arn:aws:ssm:ap-south-1:111111111111:parameter/tokenkeeper/fyers/pin',
  },
]

describe('a key functions write with', () => {
  test.each([
    ['the stack’s own, switched off', OWN, {}, OWN_ARN],
    ['the stack’s own, for another one', OWN, { keyArn: OTHER }, OWN_ARN],
    ['another one, switched off', OTHER, {}, OTHER],
    ['another one, for the stack’s own', OTHER, { customerManagedKey: true }, OTHER],
  ])('is not given up unsaid: %s', (_, deployed, settings, arn) => {
    const config = parseConfig(settings)
    expect(() => assertKeyIsKept(config, deployedWith(deployed))).toThrow(`secrets lie under the key ${arn}`)
    const named = parseConfig({ ...settings, previousKeyArns: [arn] })
    expect(() => assertKeyIsKept(named, deployedWith(deployed))).not.toThrow()
  })

  test.each([
    ['aws/ssm for any', '', { customerManagedKey: true }],
    ['the stack’s own that stays', OWN, { customerManagedKey: true }],
    ['the stack’s own, by its ARN', OWN, { keyArn: OWN_ARN }],
    ['another one that stays', OTHER, { keyArn: OTHER }],
  ])('may go: %s', (_, deployed, settings) => {
    expect(() => assertKeyIsKept(parseConfig(settings), deployedWith(deployed))).not.toThrow()
  })
})

describe('what is stored', () => {
  const refused = (settings: object, keyId: string, deployed?: string): boolean => {
    try {
      assertOpenable(
        parseConfig(settings),
        under(keyId),
        deployed === undefined ? undefined : deployedWith(deployed),
      )
      return false
    } catch {
      return true
    }
  }

  test.each([
    ['aws/ssm, whatever is named', { keyArn: OTHER }, 'alias/aws/ssm', undefined],
    ['the present one', { keyArn: OTHER }, OTHER, OTHER],
    ['an earlier one that is named', { previousKeyArns: [OWN_ARN] }, OWN, ''],
    ['the stack’s own, by its id', { customerManagedKey: true }, OWN, OWN],
    ['the stack’s own, by its alias', { customerManagedKey: true }, ALIAS, OWN],
    ['an earlier one by the alias, and one is named', { previousKeyArns: [OWN_ARN] }, ALIAS, ''],
  ])('stays readable under %s', (_, settings, keyId, deployed) => {
    expect(refused(settings, keyId, deployed)).toBe(false)
  })

  test.each([
    ['an earlier one, named no more', {}, OWN, ''],
    ['an earlier one by the alias, named no more', {}, ALIAS, ''],
    ['that of a stack which was destroyed', { customerManagedKey: true }, OWN, undefined],
    ['that of a stack which was destroyed, by the alias', { customerManagedKey: true }, ALIAS, undefined],
    ['somebody else’s', { keyArn: OWN_ARN }, OTHER, OWN_ARN],
  ])('does not under %s', (_, settings, keyId, deployed) => {
    expect(refused(settings, keyId, deployed)).toBe(true)
  })

  test('is told by name, with what to write', () => {
    expect(() => assertOpenable(parseConfig({}), under(OWN), deployedWith(''))).toThrow(
      expect.objectContaining({
        message: `/tokenkeeper/fyers/pin lies under the key ${OWN}, which cdk.json does not name: no function could open it`,
        fix: expect.stringContaining(`add "${OWN_ARN}" to previousKeyArns in cdk.json`),
      }),
    )
  })
})

test('a prefix is not changed under what is stored', () => {
  const config = parseConfig({ prefix: '/elsewhere' })
  expect(() => assertSamePrefix(config, deployedWith(''))).toThrow(
    'keeps its secrets below /tokenkeeper, and cdk.json says /elsewhere',
  )
  expect(() => assertSamePrefix(parseConfig({}), deployedWith(''))).not.toThrow()
})
