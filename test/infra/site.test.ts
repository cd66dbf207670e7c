import { Match } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import {
  actionsOf,
  arnText,
  resourcesOf,
  statementsOf,
  TWO_BROKERS,
  templateOf,
  variablesOf,
} from './template.ts'

const SITE = 'Tokenkeeper-site'
const REST = 'Tokenkeeper-rest'
const ARN = 'arn:<AWS::Partition>:'
const HERE = '<AWS::Region>:<AWS::AccountId>'

/** What the interface for programs may read of the brokers: FYERS' header names the app. */
const PUBLISHED = [
  '/fyers/access_token',
  '/fyers/*/access_token',
  '/fyers/session',
  '/fyers/*/session',
  '/fyers/client_id',
  '/fyers/*/client_id',
  '/upstox/access_token',
  '/upstox/*/access_token',
  '/upstox/session',
  '/upstox/*/session',
]

const template = templateOf(TWO_BROKERS)
const [api = ''] = Object.keys(template.findResources('AWS::ApiGatewayV2::Api'))
const API_ENDPOINT = { 'Fn::GetAtt': [api, 'ApiEndpoint'] }

const PARAMETERS = `${ARN}ssm:${HERE}:parameter/stock-pipeline`

type Statements = ReturnType<typeof statementsOf>

function parametersOf(statements: Statements): readonly unknown[] {
  const reading = statements.filter((one) => actionsOf(one).some((action) => action.startsWith('ssm:')))
  return reading
    .flatMap(({ Resource }) => [Resource].flat())
    .map(arnText)
    .toSorted()
}

/** Partitions of the state table. */
function partitionsRead(statements: Statements): unknown {
  const reading = statements.find(({ Sid }) => Sid === 'ReadState')
  const conditions = reading?.Condition as Record<string, Record<string, unknown>> | undefined
  return conditions?.['ForAllValues:StringEquals']?.['dynamodb:LeadingKeys']
}

function siteWith(context: Record<string, unknown>) {
  return templateOf({ ...TWO_BROKERS, ...context })
}

/** The logical id of the function of a broker. */
function functionId(name: string, of = template): string | undefined {
  const all = Object.entries(of.findResources('AWS::Lambda::Function'))
  return all.find(([, { Properties }]) => Properties['FunctionName'] === name)?.[0]
}

function routeKeys(of = template): readonly unknown[] {
  return resourcesOf(of, 'AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties['RouteKey'])
}

describe('the role of the login site', () => {
  const statements = statementsOf(template, SITE)

  test('allows reading state and its own key, invoking brokers, writing its own log, and nothing else', () => {
    expect(statements.flatMap(actionsOf).toSorted()).toEqual([
      'dynamodb:GetItem',
      'dynamodb:Query',
      'lambda:InvokeFunction',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'ssm:GetParameters',
    ])
    expect(statements.every(({ Effect }) => Effect === 'Allow')).toBe(true)
  })

  test('reaches one secret, the key of its links: no token and no credential', () => {
    expect(parametersOf(statements)).toEqual([`${PARAMETERS}/site/signing_key`])
  })

  test('reads state records and trading days, and no API key', () => {
    expect(partitionsRead(statements)).toEqual(['broker#fyers', 'broker#upstox', 'markets'])
  })

  test('invokes exactly the functions of the brokers', () => {
    const three = siteWith({ brokers: { ...TWO_BROKERS.brokers, 'pos-connector': {} } })
    const invoked = statementsOf(three, SITE).find(({ Sid }) => Sid === 'LeaveWorkToTheBrokers')
    const brokers = ['Tokenkeeper-fyers', 'Tokenkeeper-pos-connector', 'Tokenkeeper-upstox']
    expect(invoked?.Resource).toEqual(
      brokers.map((name) => ({ 'Fn::GetAtt': [functionId(name, three), 'Arn'] })),
    )
  })

  test('opens its key with a customer-managed key, and nothing else with it', () => {
    const withKey = statementsOf(siteWith({ customerManagedKey: true }), SITE)
    const opening = withKey.filter((one) => actionsOf(one).some((action) => action.startsWith('kms:')))
    expect(opening.map(({ Action }) => Action)).toEqual(['kms:Decrypt'])
    const { StringEquals = {} } = (opening[0]?.Condition ?? {}) as Record<
      'StringEquals',
      Record<string, unknown>
    >
    expect(arnText(StringEquals['kms:ViaService'])).toBe('ssm.<AWS::Region>.amazonaws.com')
    expect(arnText(StringEquals['kms:EncryptionContext:PARAMETER_ARN'])).toBe(
      `${PARAMETERS}/site/signing_key`,
    )
  })
})

describe('the role of the interface for programs', () => {
  const statements = statementsOf(template, REST)

  test('reaches what is published, and the app id where a header names it: no credential, and no key of links', () => {
    expect(parametersOf(statements)).toEqual(PUBLISHED.map((name) => PARAMETERS + name).toSorted())
  })

  test('reads state records, trading days and API keys', () => {
    expect(partitionsRead(statements)).toEqual(['broker#fyers', 'broker#upstox', 'markets', 'keys'])
  })

  test('opens what is published with a customer-managed key, and nothing else with it', () => {
    const withKey = statementsOf(siteWith({ customerManagedKey: true }), REST)
    const opening = withKey.filter((one) => actionsOf(one).some((action) => action.startsWith('kms:')))
    expect(opening.map(({ Action }) => Action)).toEqual(['kms:Decrypt'])
    const { StringLike = {} } = (opening[0]?.Condition ?? {}) as Record<'StringLike', Record<string, unknown>>
    const published = StringLike['kms:EncryptionContext:PARAMETER_ARN'] as readonly unknown[]
    expect(published.map(arnText)).toEqual(PUBLISHED.map((name) => PARAMETERS + name))
  })

  test('is left out, with its routes, where the owner wants no programs', () => {
    const without = siteWith({ site: { rest: false } })
    expect(functionId(REST, without)).toBeUndefined()
    expect(routeKeys(without)).toContain('GET /login')
    expect(routeKeys(without).filter((key) => /token|health|openapi|refresh/.test(String(key)))).toEqual([])
  })
})

describe('the function of the login site', () => {
  test('ends before API Gateway’s patience does', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: SITE,
      Architectures: ['arm64'],
      Runtime: 'nodejs24.x',
      Timeout: 29,
      MemorySize: 512,
    })
    template.hasResourceProperties('AWS::ApiGatewayV2::Integration', {
      TimeoutInMillis: 29_000,
      PayloadFormatVersion: '2.0',
    })
  })

  test('knows its address, the table, the prefix and the settings of the brokers, and no topic', () => {
    expect(variablesOf(template, SITE)).toEqual({
      TOKENKEEPER_SITE_URL: API_ENDPOINT,
      TOKENKEEPER_STACK: 'Tokenkeeper',
      TOKENKEEPER_PREFIX: '/stock-pipeline',
      TOKENKEEPER_TABLE: { Ref: expect.stringContaining('State') },
      TOKENKEEPER_BROKERS: '{"fyers":{},"upstox":{}}',
    })
  })

  test('knows the hosts the owner has replaced, for a form may lead to one', () => {
    const hosts = { FYERS_API: 'http://gateway.internal' }
    const replaced = siteWith({ allowHttpHosts: ['gateway.internal'], brokers: { fyers: { hosts } } })
    expect(variablesOf(replaced, SITE)).toMatchObject({
      TOKENKEEPER_BROKERS: '{"fyers":{"hosts":{"FYERS_API":"http://gateway.internal"}}}',
      TOKENKEEPER_ALLOW_HTTP_HOSTS: 'gateway.internal',
    })
  })

  test('is invoked by its own API only', () => {
    const permissions = resourcesOf(template, 'AWS::Lambda::Permission').map(({ Properties }) => Properties)
    expect(permissions.filter((one) => JSON.stringify(one).includes('SiteFunction'))).toEqual([
      expect.objectContaining({ Principal: 'apigateway.amazonaws.com', SourceArn: expect.anything() }),
    ])
  })

  test('logs to a group of its own that forgets after the configured days', () => {
    siteWith({ logRetentionDays: 90 }).hasResourceProperties('AWS::Logs::LogGroup', {
      LogGroupName: '/aws/lambda/Tokenkeeper-site',
      RetentionInDays: 90,
    })
  })
})

describe('the API of the login site', () => {
  test('has no route for anything: unknown paths reach no function', () => {
    expect(routeKeys()).toEqual(
      expect.arrayContaining([
        'GET /login',
        'POST /login/{broker}/{account}/start',
        'GET /callback/{broker}',
        'POST /webhook/upstox/{path}',
      ]),
    )
    expect(routeKeys().filter((key) => /ANY|\$default|^[A-Z]+ \/\{/.test(String(key)))).toEqual([])
  })

  test('has every path of the interface for programs', () => {
    expect(routeKeys()).toEqual(
      expect.arrayContaining([
        'GET /health',
        'GET /openapi.json',
        'GET /docs',
        'GET /token/status',
        'GET /token/validate',
        'POST /token/update',
        'GET /accounts/{broker}/token',
        'GET /accounts/{broker}/{account}/token',
        'GET /accounts/{broker}/token/status',
        'GET /accounts/{broker}/{account}/token/status',
        'GET /accounts/{broker}/token/validate',
        'GET /accounts/{broker}/{account}/token/validate',
        'POST /accounts/{broker}/token/update',
        'POST /accounts/{broker}/{account}/token/update',
        'POST /accounts/{broker}/refresh',
        'POST /accounts/{broker}/{account}/refresh',
        'POST /api/integration/tokens/refresh-all',
        'POST /api/integration/tokens/refresh/{userID}',
      ]),
    )
  })

  test.each([
    ['on', { fyers: {}, upstox: {} }],
    ['off', { fyers: {}, upstox: { enabled: false } }],
  ])(
    'keeps the webhook of a broker that is switched %s, since the limit of a route outlives it',
    (_, brokers) => {
      const of = siteWith({ brokers })
      const [stage] = resourcesOf(of, 'AWS::ApiGatewayV2::Stage')
      const limited = Object.keys(stage?.Properties['RouteSettings'] as object)
      expect(limited).toEqual(['POST /webhook/upstox/{path}'])
      expect(routeKeys(of).filter((key) => /webhook/.test(String(key)))).toEqual(limited)
    },
  )

  test('is throttled, and its webhook more so', () => {
    template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 },
      RouteSettings: {
        'POST /webhook/upstox/{path}': { ThrottlingRateLimit: 2, ThrottlingBurstLimit: 5 },
      },
    })
  })

  test('has its limits set after the routes they are for', () => {
    const [stage] = Object.values(template.findResources('AWS::ApiGatewayV2::Stage'))
    const routes = Object.keys(template.findResources('AWS::ApiGatewayV2::Route'))
    expect(stage?.['DependsOn']).toEqual(expect.arrayContaining(routes))
  })

  test('logs which page was asked for, and neither query, path, cookie, body nor address', () => {
    const formats = resourcesOf(template, 'AWS::ApiGatewayV2::Stage').map(
      ({ Properties }) => (Properties['AccessLogSettings'] as { Format: string }).Format,
    )
    expect(formats.map((format) => JSON.parse(format))).toEqual([
      {
        requestId: '$context.requestId',
        time: '$context.requestTime',
        method: '$context.httpMethod',
        route: '$context.routeKey',
        status: '$context.status',
        milliseconds: '$context.responseLatency',
        bytes: '$context.responseLength',
        error: '$context.error.message',
        integrationError: '$context.integrationErrorMessage',
      },
    ])
    siteWith({ logRetentionDays: 90 }).hasResourceProperties('AWS::Logs::LogGroup', {
      LogGroupName: '/aws/vendedlogs/apis/Tokenkeeper-site',
      RetentionInDays: 90,
    })
  })

  test('has no rule that lets pages of other sites call it', () => {
    template.hasResourceProperties('AWS::ApiGatewayV2::Api', { CorsConfiguration: Match.absent() })
  })
})

describe('alarms of the login site', () => {
  test.each([
    ['AWS/Lambda', 'Errors', 1],
    // Programs meet a 503 whenever a broker is away for a moment, and try again.
    ['AWS/ApiGateway', '5xx', 10],
  ])('%s %s are told of from %i on', (Namespace, MetricName, Threshold) => {
    const found = resourcesOf(template, 'AWS::CloudWatch::Alarm').filter(({ Properties }) =>
      JSON.stringify(Properties['Dimensions']).includes(Namespace === 'AWS/Lambda' ? 'SiteFunction' : api),
    )
    expect(found.map(({ Properties }) => Properties)).toContainEqual(
      expect.objectContaining({ Namespace, MetricName, Threshold }),
    )
  })
})

describe('the address of the login site', () => {
  test('is an output, and the functions that send alerts know it', () => {
    expect(template.findOutputs('SiteUrl')['SiteUrl']).toMatchObject({ Value: API_ENDPOINT })
    expect(variablesOf(template, 'Tokenkeeper-fyers')).toMatchObject({ TOKENKEEPER_SITE_URL: API_ENDPOINT })
  })

  test('is the owner’s own where there is one', () => {
    const own = siteWith({ site: { url: 'https://login.example.com/' } })
    expect(own.findOutputs('SiteUrl')['SiteUrl']).toMatchObject({ Value: 'https://login.example.com' })
    for (const name of [SITE, 'Tokenkeeper-fyers']) {
      expect(variablesOf(own, name)).toMatchObject({ TOKENKEEPER_SITE_URL: 'https://login.example.com' })
    }
  })
})

test('a stack whose brokers need no person has the site all the same, for programs', () => {
  const forPrograms = siteWith({ brokers: { 'pos-connector': {} } })
  forPrograms.resourceCountIs('AWS::ApiGatewayV2::Api', 1)
  expect(variablesOf(forPrograms, SITE)).toHaveProperty('TOKENKEEPER_SITE_URL')
})

describe('without a login site', () => {
  test.each([
    ['because it is switched off', { site: { enabled: false } }],
    ['because no broker is switched on', { brokers: {} }],
  ])('%s, nothing of it is left', (_, context) => {
    const without = siteWith(context)
    without.resourceCountIs('AWS::ApiGatewayV2::Api', 0)
    expect(JSON.stringify(without.toJSON())).not.toMatch(/Tokenkeeper-site|signing_key|SITE_URL/)
  })
})
