import type { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import { BROKER_IDS } from '../../lib/brokers/index.ts'
import { SECRET_NAMES } from '../../lib/model/secrets/secret-name.ts'
import { arnText, FYERS_ONLY, resourcesOf, type Statement, TWO_BROKERS, templateOf } from './template.ts'

const template = templateOf(FYERS_ONLY)
const PARAMETERS = 'arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter/stock-pipeline'

/** What the policy for the programs of a broker allows. */
function consumerStatements(brokerId: string, of: Template): readonly Statement[] {
  const policies = resourcesOf(of, 'AWS::IAM::ManagedPolicy').filter(
    ({ Properties }) =>
      Properties['Description'] === `Lets a program read the published tokens of ${brokerId}`,
  )
  expect(policies).toHaveLength(1)
  type Policy = { readonly PolicyDocument: { readonly Statement: readonly Statement[] } }
  return policies.flatMap(({ Properties }) => (Properties as unknown as Policy).PolicyDocument.Statement)
}

/** Whether IAM takes a resource for one that a statement names: `*` is any text, slashes included. */
function matches(pattern: string, arn: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${expression}$`, 's').test(arn)
}

describe('the policy for programs that use a broker’s tokens', () => {
  const PUBLISHED = ['access_token', '*/access_token', 'session', '*/session'].map(
    (name) => `${PARAMETERS}/fyers/${name}`,
  )

  test('allows to read what is published, singly or several at once, and nothing else', () => {
    const [read, ...more] = consumerStatements('fyers', template)
    expect(more).toEqual([])
    expect(read).toMatchObject({ Effect: 'Allow', Action: ['ssm:GetParameter', 'ssm:GetParameters'] })
    expect(read).not.toHaveProperty('Condition')
    expect([read?.Resource].flat().map(arnText).toSorted()).toEqual(PUBLISHED.toSorted())
  })

  test('opens the stack’s own key for SSM and for these parameters only', () => {
    const withKey = templateOf({ ...FYERS_ONLY, customerManagedKey: true })
    const [key] = Object.keys(withKey.findResources('AWS::KMS::Key'))
    const [, open, ...more] = consumerStatements('fyers', withKey)
    expect(more).toEqual([])
    expect(open).toMatchObject({
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: { 'Fn::GetAtt': [key, 'Arn'] },
    })
    const conditions = open?.Condition as Record<string, Record<string, unknown>>
    expect(Object.keys(conditions)).toEqual(['StringEquals', 'StringLike'])
    expect(Object.keys(conditions['StringEquals'] ?? {})).toEqual(['kms:ViaService'])
    expect(arnText(conditions['StringEquals']?.['kms:ViaService'])).toBe('ssm.<AWS::Region>.amazonaws.com')
    const arns = conditions['StringLike']?.['kms:EncryptionContext:PARAMETER_ARN'] as unknown[]
    expect(arns.map(arnText)).toEqual(PUBLISHED)
  })

  test('is attached to nobody, and there for each broker that is switched on', () => {
    const both = templateOf({ ...TWO_BROKERS, brokers: { fyers: {}, upstox: {}, iifl: { enabled: false } } })
    expect(
      resourcesOf(both, 'AWS::IAM::ManagedPolicy').map(({ Properties }) => [
        Properties['ManagedPolicyName'],
        Properties['Description'],
        Properties['Roles'] ?? Properties['Users'] ?? Properties['Groups'],
      ]),
    ).toEqual([
      [undefined, 'Lets a program read the published tokens of fyers', undefined],
      [undefined, 'Lets a program read the published tokens of upstox', undefined],
    ])
    const [id] = Object.keys(both.findResources('AWS::IAM::ManagedPolicy'))
    expect(both.findOutputs('FyersConsumerPolicyArn')['FyersConsumerPolicyArn']).toMatchObject({
      Value: { Ref: id },
    })
  })

  test('R2.10 reaches, of every parameter there may be, access tokens and sessions of its broker', () => {
    const all = templateOf({
      ...TWO_BROKERS,
      brokers: Object.fromEntries(BROKER_IDS.map((id) => [id, {}])),
    })
    // Accounts called like secrets among them, and what lies beside the brokers' folders.
    const accounts = ['', 'ACC1/', '28748327/', 'access_token/', 'session/', 'a.b_c-d/']
    const parameters = [...BROKER_IDS, 'site', 'mirrors'].flatMap((folder) =>
      accounts.flatMap((account) => SECRET_NAMES.map((name) => ({ folder, account, name }))),
    )
    for (const brokerId of BROKER_IDS) {
      const patterns = consumerStatements(brokerId, all).flatMap(({ Resource }) =>
        [Resource].flat().map(arnText),
      )
      const reached = parameters.filter(({ folder, account, name }) =>
        patterns.some((pattern) => matches(pattern, `${PARAMETERS}/${folder}/${account}${name}`)),
      )
      expect(reached).toEqual(
        parameters.filter(
          ({ folder, name }) => folder === brokerId && (name === 'access_token' || name === 'session'),
        ),
      )
    }
    expect(parameters.length).toBeGreaterThan(500)
  })
})
