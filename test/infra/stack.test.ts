import { Match, type Template } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import { readEnvironment } from '../../functions/runtime/environment.ts'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { parseSchedule } from '../../lib/markets/schedule.ts'
import { FYERS_ONLY, resourcesOf, TWO_BROKERS, templateOf, variablesOf } from './template.ts'

const template = templateOf(FYERS_ONLY)

/** FYERS alone with these settings. */
function fyersWith(settings: Record<string, unknown>) {
  return templateOf({ ...FYERS_ONLY, brokers: { fyers: settings } })
}

describe('the function', () => {
  test('runs on arm64 and Node 24 with the configured time and memory, without reserved concurrency', () => {
    fyersWith({ timeoutMinutes: 3, memoryMb: 512 }).hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'Tokenkeeper-fyers',
      Architectures: ['arm64'],
      Runtime: 'nodejs24.x',
      Timeout: 180,
      MemorySize: 512,
      ReservedConcurrentExecutions: Match.absent(),
    })
  })

  test('is never repeated by Lambda after it threw, and leaves what failed in the dead-letter queue', () => {
    const [queue] = Object.keys(template.findResources('AWS::SQS::Queue'))
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [queue, 'Arn'] } } },
    })
  })

  test('may call itself more often than Lambda’s loop detection allows', () => {
    template.hasResourceProperties('AWS::Lambda::Function', { RecursiveLoop: 'Allow' })
  })

  test('logs to a group of its own that forgets after the configured days', () => {
    templateOf({ ...FYERS_ONLY, logRetentionDays: 90 }).hasResourceProperties('AWS::Logs::LogGroup', {
      LogGroupName: '/aws/lambda/Tokenkeeper-fyers',
      RetentionInDays: 90,
    })
    const [group] = Object.keys(template.findResources('AWS::Logs::LogGroup'))
    template.hasResourceProperties('AWS::Lambda::Function', { LoggingConfig: { LogGroup: { Ref: group } } })
  })

  test('understands the environment the stack gives it', () => {
    const settings = {
      pacingSeconds: 2.5,
      leewayMinutes: 90,
      maxLifetimeHours: 12,
      remindMinutesBeforeOpen: [90, 15],
      proveMinutesBeforeOpen: 30,
      hosts: { FYERS_API: 'https://gateway.example.com' },
    }
    const redis = {
      url: 'rediss://redis.example.invalid:6380',
      defaultAccounts: ['fyers/papa', 'upstox/ACC1'],
    }
    const configured = templateOf({ ...FYERS_ONLY, mirrors: { redis }, brokers: { fyers: settings } })
    const values = Object.fromEntries(
      Object.entries(variablesOf(configured, 'Tokenkeeper-fyers')).map(([name, value]) => [
        name,
        textOf(value),
      ]),
    )
    expect(
      readEnvironment(fyers, { ...values, AWS_LAMBDA_FUNCTION_NAME: 'Tokenkeeper-fyers' }),
    ).toMatchObject({
      prefix: '/stock-pipeline',
      broker: {
        pacingSeconds: 2.5,
        session: { leewayMinutes: 90, maxLifetimeHours: 12 },
        remindMinutesBeforeOpen: [90, 15],
        proveMinutesBeforeOpen: 30,
      },
      eventsTopicArn: expect.stringContaining('Events'),
      redis,
      siteUrl: undefined,
      hosts: { FYERS_API: 'https://gateway.example.com' },
    })
  })
})

describe('schedules', () => {
  test('name their time zone, start the function and leave undelivered runs in the dead-letter queue', () => {
    const [queue] = Object.keys(template.findResources('AWS::SQS::Queue'))
    const handler = Match.stringLikeRegexp('^FyersFunction')
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'cron(0/15 6-8 ? * MON-FRI *)',
      ScheduleExpressionTimezone: 'Asia/Kolkata',
      State: 'ENABLED',
      Target: {
        Arn: { 'Fn::GetAtt': [handler, 'Arn'] },
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': [queue, 'Arn'] } },
        Input: '{"reason":"schedule"}',
      },
    })
  })

  test('R0.1 R1.3 are those of the configuration, as many as there are', () => {
    const schedules = ['cron(0 3 * * ? *)', 'rate(6 hours)']
    const configured = fyersWith({ schedules, timeZone: 'America/New_York' })
    expect(schedulesOf(configured)).toEqual(schedules.map((expression) => [expression, 'America/New_York']))
  })

  test('have one more where the broker is to ask in its own app by itself, on trading days in its zone', () => {
    const upstox = { schedules: ['cron(0 8 * * ? *)'], approvalAt: '07:05' }
    const configured = templateOf({ ...FYERS_ONLY, brokers: { upstox } })
    expect(schedulesOf(configured)).toEqual([
      ['cron(0 8 * * ? *)', 'Asia/Kolkata'],
      ['cron(5 7 ? * MON-FRI *)', 'Asia/Kolkata'],
    ])
    expect(() => parseSchedule('cron(5 7 ? * MON-FRI *)', 'Asia/Kolkata')).not.toThrow()
    expect(variablesOf(configured, 'Tokenkeeper-upstox')).toMatchObject({
      TOKENKEEPER_BROKERS: '{"upstox":{"schedules":["cron(0 8 * * ? *)"],"approvalAt":"07:05"}}',
    })
  })
})

describe('the stack', () => {
  test('R0.2 has nothing of a broker that is disabled', () => {
    const disabled = templateOf({
      site: { enabled: false },
      brokers: { fyers: {}, upstox: { enabled: false } },
    })
    // The others look whether alerts reach people, and tell of alarms.
    disabled.resourceCountIs('AWS::Lambda::Function', 3)
    expect(JSON.stringify(disabled.toJSON())).not.toContain('upstox')
  })

  test('has one function per enabled broker, one for the pages, one for programs, one that watches over the alerts and one that tells of alarms, and outputs names, address, topics and policies', () => {
    const both = templateOf(TWO_BROKERS)
    both.resourceCountIs('AWS::Lambda::Function', 6)
    expect(Object.keys(both.findOutputs('*')).toSorted()).toEqual([
      'AlertTopicArn',
      'FyersConsumerPolicyArn',
      'FyersFunctionName',
      'SiteUrl',
      'TokenEventsTopicArn',
      'UpstoxConsumerPolicyArn',
      'UpstoxFunctionName',
    ])
  })

  test('keeps the state table when it goes, but not when its first deployment fails; with TTL, point-in-time recovery and on-demand capacity', () => {
    template.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        TableName: 'Tokenkeeper-state',
        BillingMode: 'PAY_PER_REQUEST',
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        SSESpecification: { SSEEnabled: true },
      },
    })
  })

  test('says in SSM whose the parameters below the prefix are, which CloudFormation makes for one stack alone', () => {
    template.hasResourceProperties('AWS::SSM::Parameter', {
      Name: '/stock-pipeline/owner',
      Type: 'String',
      Value: 'Tokenkeeper',
    })
    expect(variablesOf(template, 'Tokenkeeper-fyers')).toMatchObject({ TOKENKEEPER_STACK: 'Tokenkeeper' })
  })

  test('leaves nothing with a name of its own behind that would block another try of a failed first deployment', () => {
    const whole = templateOf({ ...TWO_BROKERS, customerManagedKey: true }).toJSON()['Resources'] as Record<
      string,
      { readonly Type: string; readonly DeletionPolicy?: string }
    >
    const kept = Object.values(whole).filter(({ DeletionPolicy }) => DeletionPolicy?.startsWith('Retain'))
    expect(kept.map(({ Type, DeletionPolicy }) => [Type, DeletionPolicy])).toEqual([
      ['AWS::KMS::Key', 'RetainExceptOnCreate'],
      ['AWS::DynamoDB::Table', 'RetainExceptOnCreate'],
    ])
  })

  test('subscribes every address to the topic, which takes nothing unencrypted', () => {
    const mailed = templateOf({ ...FYERS_ONLY, alertEmails: ['one@example.com', 'two@example.com'] })
    mailed.resourceCountIs('AWS::SNS::Subscription', 2)
    mailed.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'two@example.com' })
    mailed.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    })
  })

  test('refuses a stack name that makes a function’s name too long, and says so', () => {
    const stackName = 'T'.repeat(60)
    expect(() => templateOf({ ...FYERS_ONLY, stackName })).toThrow(
      /66 characters, a function name may have 64/,
    )
  })

  test('holds no broker secret: the variables are names, numbers and hosts', () => {
    expect(Object.keys(variablesOf(template, 'Tokenkeeper-fyers')).toSorted()).toEqual([
      'POWERTOOLS_METRICS_NAMESPACE',
      'TOKENKEEPER_BROKERS',
      'TOKENKEEPER_EVENTS_TOPIC_ARN',
      'TOKENKEEPER_PREFIX',
      'TOKENKEEPER_STACK',
      'TOKENKEEPER_TABLE',
      'TOKENKEEPER_TOPIC_ARN',
    ])
  })
})

/** Expression and zone of each schedule of a broker. */
function schedulesOf(of: Template): readonly unknown[] {
  const all = resourcesOf(of, 'AWS::Scheduler::Schedule').map(({ Properties }) => Properties)
  return all
    .filter(({ Target }) => !JSON.stringify(Target).includes('SubscriptionCheck'))
    .map(({ ScheduleExpression, ScheduleExpressionTimezone }) => [
      ScheduleExpression,
      ScheduleExpressionTimezone,
    ])
}

/** A value as it will be after deployment; references become their names. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
