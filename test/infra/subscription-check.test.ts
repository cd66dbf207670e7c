import { describe, expect, test } from 'vitest'
import { parseSchedule } from '../../lib/markets/schedule.ts'
import { actionsOf, FYERS_ONLY, resourcesOf, statementsOf, templateOf, variablesOf } from './template.ts'

const CHECK = 'Tokenkeeper-subscriptions'

const template = templateOf({ ...FYERS_ONLY, alertEmails: ['one@example.com', 'two@example.com'] })
const [topic = ''] = Object.keys(template.findResources('AWS::SNS::Topic'))
const [table = ''] = Object.keys(template.findResources('AWS::DynamoDB::Table'))
const functionId = Object.entries(template.findResources('AWS::Lambda::Function')).find(
  ([, { Properties }]) => Properties['FunctionName'] === CHECK,
)?.[0]

/** Zone and expression of each schedule that starts the check, with what it sends. */
function schedulesOf(of = template): readonly (readonly [string, string, unknown])[] {
  const all = resourcesOf(of, 'AWS::Scheduler::Schedule').map(({ Properties }) => Properties)
  return all
    .filter(({ Target }) => JSON.stringify(Target).includes('SubscriptionCheck'))
    .map(({ ScheduleExpressionTimezone: zone, ScheduleExpression: expression, Target }) => [
      String(zone),
      String(expression),
      JSON.parse((Target as { Input: string }).Input),
    ])
}

/** Of the daily look. */
function scheduleOf(of = template): readonly [string, string] {
  const [[zone, expression] = ['', '']] = schedulesOf(of)
  return [zone, expression]
}

describe('the role of the check of the subscriptions', () => {
  const statements = statementsOf(template, CHECK)

  test('allows looking at one topic and at runs, writing to that topic, its own log and the dead-letter queue, and nothing else', () => {
    expect(statements.flatMap(actionsOf)).toEqual([
      'sns:GetSubscriptionAttributes',
      'sns:ListSubscriptionsByTopic',
      'sns:Publish',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'sqs:SendMessage',
    ])
    expect(statements.every(({ Effect }) => Effect === 'Allow')).toBe(true)
  })

  test('names the topic itself, which SNS holds all three against, and no pattern', () => {
    const ofSns = statements.filter((one) => actionsOf(one).some((action) => action.startsWith('sns:')))
    expect(ofSns.map(({ Resource }) => Resource)).toEqual([{ Ref: topic }, { Ref: topic }])
    expect(JSON.stringify(statements)).not.toContain('*')
  })

  test('reaches no account’s record, and writes no broker’s last run', () => {
    const keys = (sid: string) =>
      statements.find(({ Sid }) => Sid === sid)?.Condition as Record<string, Record<string, unknown>>
    const all = { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['runs', 'runs#fyers'] } }
    expect(keys('LookAtRuns')).toEqual(all)
    expect(keys('RememberSchedules')).toEqual({
      'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['runs'] },
    })
  })

  test('names the log group of the check', () => {
    const { Resource } = statements.find(({ Sid }) => Sid === 'LogOfTheCheck') ?? {}
    const group = (Resource as { 'Fn::GetAtt': string[] })['Fn::GetAtt'][0] ?? ''
    expect(template.findResources('AWS::Logs::LogGroup')[group]?.['Properties']).toMatchObject({
      LogGroupName: `/aws/lambda/${CHECK}`,
      RetentionInDays: 30,
    })
  })
})

describe('the check of the subscriptions', () => {
  test('knows the topic, the namespace of the stack and who ought to be subscribed', () => {
    expect(variablesOf(template, CHECK)).toEqual({
      TOKENKEEPER_TOPIC_ARN: { Ref: topic },
      POWERTOOLS_METRICS_NAMESPACE: 'Tokenkeeper',
      TOKENKEEPER_ALERT_EMAILS: 'one@example.com,two@example.com',
      TOKENKEEPER_STACK: 'Tokenkeeper',
      TOKENKEEPER_TABLE: { Ref: table },
      TOKENKEEPER_BROKERS: '{"fyers":{}}',
    })
    expect(variablesOf(templateOf(FYERS_ONLY), CHECK)).not.toHaveProperty('TOKENKEEPER_ALERT_EMAILS')
  })

  test('runs every day at seven in the zone of the first broker', () => {
    const [zone, expression] = scheduleOf()
    expect(zone).toBe('Asia/Kolkata')
    const from = Date.parse('2026-11-22T12:00:00+05:30')
    const next = parseSchedule(expression, zone).next(from) ?? 0
    const after = parseSchedule(expression, zone).next(next) ?? 0
    expect(new Date(next).toISOString()).toBe('2026-11-23T01:30:00.000Z')
    expect(after - next).toBe(24 * 3_600_000)
    const fyers = { timeZone: 'America/New_York' }
    expect(scheduleOf(templateOf({ ...FYERS_ONLY, brokers: { fyers, upstox: {} } }))[0]).toBe(
      'America/New_York',
    )
  })

  test('looks at the runs once more half an hour before the first open, where there is a market', () => {
    expect(schedulesOf()).toEqual([
      ['Asia/Kolkata', 'cron(0 7 * * ? *)', { reason: 'schedule' }],
      ['Asia/Kolkata', 'cron(45 8 ? * MON-FRI *)', { reason: 'schedule', only: 'runs' }],
    ])
    expect(schedulesOf(templateOf({ brokers: { 'pos-connector': {} } }))).toHaveLength(1)
  })

  test('is there without any broker as well, on universal time', () => {
    expect(scheduleOf(templateOf({ brokers: {} }))[0]).toBe('UTC')
  })

  test('leaves in the dead-letter queue when it could not be started, and when it failed', () => {
    const [queue] = Object.keys(template.findResources('AWS::SQS::Queue'))
    const Arn = { 'Fn::GetAtt': [queue, 'Arn'] }
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      Target: { Arn: { 'Fn::GetAtt': [functionId, 'Arn'] }, DeadLetterConfig: { Arn } },
    })
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: functionId },
      DestinationConfig: { OnFailure: { Destination: Arn } },
    })
  })
})

describe('alarms', () => {
  function alarmOn(metric: string, dimension: unknown): Record<string, unknown> | undefined {
    return resourcesOf(template, 'AWS::CloudWatch::Alarm')
      .map(({ Properties }) => Properties)
      .find(({ MetricName, Dimensions }) => {
        return MetricName === metric && JSON.stringify(Dimensions) === JSON.stringify([dimension])
      })
  }

  test('one problem is enough, stays one until a check finds none, and is then said to be over', () => {
    const dimension = { Name: 'topic', Value: { 'Fn::GetAtt': [topic, 'TopicName'] } }
    expect(alarmOn('AlertSubscriptionProblems', dimension)).toMatchObject({
      Namespace: 'Tokenkeeper',
      Threshold: 1,
      EvaluationPeriods: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'ignore',
      OKActions: [expect.anything()],
    })
  })
})

test('mails are from somebody people know', () => {
  template.hasResourceProperties('AWS::SNS::Topic', { DisplayName: 'Tokenkeeper alerts' })
})
