import { describe, expect, test } from 'vitest'
import { parseSchedule } from '../../lib/markets/schedule.ts'
import { actionsOf, FYERS_ONLY, resourcesOf, statementsOf, templateOf, variablesOf } from './template.ts'

const CHECK = 'Tokenkeeper-subscriptions'

const template = templateOf({ ...FYERS_ONLY, alertEmails: ['one@example.com', 'two@example.com'] })
const [topic = ''] = Object.keys(template.findResources('AWS::SNS::Topic'))
const functionId = Object.entries(template.findResources('AWS::Lambda::Function')).find(
  ([, { Properties }]) => Properties['FunctionName'] === CHECK,
)?.[0]

/** Zone and expression of the schedule that starts the check. */
function scheduleOf(of = template): readonly [string, string] {
  const all = resourcesOf(of, 'AWS::Scheduler::Schedule').map(({ Properties }) => Properties)
  const own = all.filter(({ Target }) => JSON.stringify(Target).includes('SubscriptionCheck'))
  expect(own).toHaveLength(1)
  const [{ ScheduleExpressionTimezone: zone, ScheduleExpression: expression } = {}] = own
  return [String(zone), String(expression)]
}

describe('the role of the check of the subscriptions', () => {
  const statements = statementsOf(template, CHECK)

  test('allows looking at the subscriptions of one topic, writing to it, to its own log and to the dead-letter queue, and nothing else', () => {
    expect(statements.flatMap(actionsOf)).toEqual([
      'sns:GetSubscriptionAttributes',
      'sns:ListSubscriptionsByTopic',
      'sns:Publish',
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
