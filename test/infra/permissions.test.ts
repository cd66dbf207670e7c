import { describe, expect, test } from 'vitest'
import {
  actionsOf,
  arnText,
  FYERS_ONLY,
  resourcesOf,
  roleStatements,
  statementsOf,
  TWO_BROKERS,
  templateOf,
} from './template.ts'

const template = templateOf(TWO_BROKERS)
const OWN_PARAMETERS = 'arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter/stock-pipeline'

function statement(sid: string, of = templateOf(FYERS_ONLY)) {
  const found = roleStatements(of).filter(({ Sid }) => Sid === sid)
  expect(found).toHaveLength(1)
  return found[0] as (typeof found)[number]
}

describe('the role of a broker', () => {
  test('writes the parameters of its own broker and of no other', () => {
    const reached = roleStatements(template)
      .filter((one) => actionsOf(one).includes('ssm:PutParameter'))
      .map(({ Resource }) => arnText(Resource))
    expect(reached.toSorted()).toEqual([`${OWN_PARAMETERS}/fyers/*`, `${OWN_PARAMETERS}/upstox/*`])
  })

  test('reads those, whose they are, and the key that signs the links to the login site', () => {
    const reached = statementsOf(template, 'Tokenkeeper-fyers')
      .filter((one) => actionsOf(one).includes('ssm:GetParameters'))
      .map(({ Resource }) => arnText(Resource))
    const [owner] = Object.keys(template.findResources('AWS::SSM::Parameter'))
    expect(reached).toEqual([
      `${OWN_PARAMETERS}/fyers/*`,
      `${OWN_PARAMETERS.replace('/stock-pipeline', '')}<${owner}>`,
      `${OWN_PARAMETERS}/site/signing_key`,
    ])
    expect(roleStatements(templateOf(FYERS_ONLY)).filter(({ Sid }) => Sid === 'SigningKey')).toEqual([])
  })

  test('does not reach a broker whose name begins with its own', () => {
    const iifl = templateOf({ ...FYERS_ONLY, brokers: { iifl: {} } })
    const path = arnText(statement('OwnParameters', iifl).Resource).replace(/\*$/, '')
    expect(`${OWN_PARAMETERS}/iifl-xts/access_token`.startsWith(path)).toBe(false)
  })

  test('may read and write parameters, neither list nor describe them, and delete none but a kept token', () => {
    expect(statement('OwnParameters').Action).toEqual(['ssm:GetParameters', 'ssm:PutParameter'])
    const deletes = roleStatements(templateOf(FYERS_ONLY)).filter((one) =>
      actionsOf(one).includes('ssm:DeleteParameter'),
    )
    expect(deletes.flatMap(({ Resource }) => [Resource].flat().map(arnText))).toEqual([
      `${OWN_PARAMETERS}/fyers/*/pending`,
      `${OWN_PARAMETERS}/fyers/pending`,
    ])
  })

  test('reaches only its own partitions of the state table', () => {
    expect(statement('OwnState')).toMatchObject({
      Action: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
      Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['broker#fyers', 'runs#fyers'] } },
    })
  })

  test('reads what is said of trading days, and changes nothing about it', () => {
    expect(statement('TradingDays')).toMatchObject({
      Action: 'dynamodb:GetItem',
      Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['markets'] } },
    })
  })

  test('may invoke no function but itself', () => {
    expect(arnText(statement('HandOverToItself').Resource)).toBe(
      'arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:Tokenkeeper-fyers',
    )
  })

  test('writes to its own log group only', () => {
    const { Action, Resource } = statement('OwnLog')
    expect(Action).toEqual(['logs:CreateLogStream', 'logs:PutLogEvents'])
    const { 'Fn::GetAtt': [logGroup = ''] = [] } = Resource as { 'Fn::GetAtt'?: string[] }
    expect(
      templateOf(FYERS_ONLY).findResources('AWS::Logs::LogGroup')[logGroup]?.['Properties'],
    ).toMatchObject({
      LogGroupName: '/aws/lambda/Tokenkeeper-fyers',
    })
  })

  test('has no KMS permission while the account’s own key is used, whose policy lets SSM’s callers in', () => {
    expect(
      roleStatements(template)
        .flatMap(actionsOf)
        .filter((action) => action.startsWith('kms:')),
    ).toEqual([])
  })
})

test('no role has a wildcard action, and none a managed policy', () => {
  const statements = roleStatements(template)
  expect(statements.length).toBeGreaterThan(10)
  expect(statements.flatMap(actionsOf).filter((action) => action.includes('*'))).toEqual([])
  expect(
    resourcesOf(template, 'AWS::IAM::Role').flatMap(
      ({ Properties }) => Properties['ManagedPolicyArns'] ?? [],
    ),
  ).toEqual([])
})

test('what schedules may start are the functions there are, and where what failed is left', () => {
  // Every other statement has a name.
  const [start, leave, ...others] = roleStatements(template).filter(({ Sid }) => Sid === undefined)
  expect(others).toEqual([])
  expect([start?.Action, leave?.Action]).toEqual(['lambda:InvokeFunction', 'sqs:SendMessage'])
  const below = 'arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function'
  expect([start?.Resource].flat().map(arnText)).toEqual(
    ['fyers', 'subscriptions', 'upstox'].map((name) => `${below}:Tokenkeeper-${name}`),
  )
})

test('the only wildcards in a resource are a broker’s own parameters, and what is published of its accounts', () => {
  const wild = roleStatements(template)
    .flatMap(({ Resource }) => [Resource].flat().map(arnText))
    .filter((arn) => arn.includes('*'))
  const allowed =
    /parameter\/stock-pipeline\/(fyers|upstox)\/\*(\/(access_token|session|client_id|pending))?$/
  expect(wild.filter((arn) => !allowed.test(arn))).toEqual([])
  expect(wild.length).toBeGreaterThan(0)
})

describe('a customer-managed key', () => {
  const withKey = templateOf({ ...FYERS_ONLY, customerManagedKey: true })

  test('is absent by default', () => {
    template.resourceCountIs('AWS::KMS::Key', 0)
  })

  test('rotates, stays when the stack goes, and is told to the function', () => {
    withKey.hasResource('AWS::KMS::Key', {
      Properties: { EnableKeyRotation: true, PendingWindowInDays: 30 },
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    })
    const [key] = Object.keys(withKey.findResources('AWS::KMS::Key'))
    withKey.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { TOKENKEEPER_KEY_ID: { Ref: key } } },
    })
  })

  test('R2.10 opens only for SSM and only for the broker’s own parameters', () => {
    const { Action, Condition } = statement('OwnParametersKey', withKey)
    expect(Action).toEqual(['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey'])
    const { StringEquals, StringLike } = Condition as Record<string, Record<string, unknown>>
    expect(arnText(StringEquals?.['kms:ViaService'])).toBe('ssm.<AWS::Region>.amazonaws.com')
    expect(arnText(StringLike?.['kms:EncryptionContext:PARAMETER_ARN'])).toBe(`${OWN_PARAMETERS}/fyers/*`)
  })
})
