import { Annotations, Match } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import { runRhythm } from '../../infra/constructs/broker/run-rhythm.ts'
import { FYERS_ONLY, resourcesOf, stackOf, templateOf } from './template.ts'

const template = templateOf(FYERS_ONLY)

function scheduled(...schedules: string[]) {
  return { ...FYERS_ONLY, brokers: { fyers: { schedules } } }
}

/** The broker's alarm on a metric. */
function alarmOn(metric: string, of = template): Record<string, unknown> {
  const found = resourcesOf(of, 'AWS::CloudWatch::Alarm').filter(
    ({ Properties: { MetricName, Dimensions } }) =>
      MetricName === metric && !JSON.stringify(Dimensions).includes('SubscriptionCheck'),
  )
  expect(found).toHaveLength(1)
  return found[0]?.Properties ?? {}
}

test('R3.9 every alarm tells the topic, which lets the account’s alarms in', () => {
  const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm')
  const [topic] = Object.keys(template.findResources('AWS::SNS::Topic'))
  expect(alarms.map(({ Properties }) => Properties['AlarmActions'])).toEqual(
    alarms.map(() => [{ Ref: topic }]),
  )
  template.hasResourceProperties('AWS::SNS::TopicPolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Effect: 'Allow',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Condition: Match.objectLike({ StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } }),
        }),
      ]),
    },
  })
})

describe('R3.9 on failure', () => {
  test.each(['TokenLost', 'NotifyFailed', 'Errors', 'ApproximateNumberOfMessagesVisible'])(
    'one %s is enough, and no data is good news',
    (metric) => {
      expect(alarmOn(metric)).toMatchObject({
        Threshold: 1,
        EvaluationPeriods: 1,
        TreatMissingData: 'notBreaching',
      })
    },
  )

  test('R2.8 a mirror that missed a token is an alarm, where there is one', () => {
    const redis = { url: 'rediss://redis.example.invalid:6380' }
    expect(alarmOn('SubscriberFailed', templateOf({ ...FYERS_ONLY, mirrors: { redis } }))).toMatchObject({
      Threshold: 1,
      EvaluationPeriods: 1,
      TreatMissingData: 'notBreaching',
      Dimensions: [{ Name: 'broker', Value: 'fyers' }],
    })
    expect(JSON.stringify(template.toJSON())).not.toContain('SubscriberFailed')
  })

  test('a clock more than 15 s off is an alarm', () => {
    expect(alarmOn('ClockDriftSeconds')).toMatchObject({ Threshold: 15, Statistic: 'Maximum' })
  })

  // A person is told of neither: they may heal by themselves.
  describe.each(['Failed', 'Ambiguous'])('accounts that end as %s', (metric) => {
    test('once heal by the next run where that is near, and alarm at the second', () => {
      expect(alarmOn(metric)).toMatchObject({
        Period: 900,
        EvaluationPeriods: 2,
        TreatMissingData: 'ignore',
      })
    })

    test('alarm at once where the next run is far', () => {
      const daily = templateOf(scheduled('cron(0 3 * * ? *)'))
      expect(alarmOn(metric, daily)).toMatchObject({ EvaluationPeriods: 1, TreatMissingData: 'ignore' })
    })
  })

  test('the metrics are those of this stack and broker', () => {
    const other = templateOf({ ...FYERS_ONLY, stackName: 'Second' })
    expect(alarmOn('Failed', other)).toMatchObject({
      Namespace: 'Second',
      Dimensions: [{ Name: 'broker', Value: 'fyers' }],
    })
    other.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { POWERTOOLS_METRICS_NAMESPACE: 'Second' } },
    })
  })
})

describe('R3.9 on silence', () => {
  // From Friday 08:45 to Monday 06:00 are 69.25 h; 10 min of run and an hour of slack go on top.
  test('a working-week schedule may rest over the weekend and no longer', () => {
    expect(alarmOn('RunCompleted')).toMatchObject({
      Period: 3600,
      EvaluationPeriods: 71,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    })
  })

  test('a schedule every six hours is missed within eight', () => {
    expect(alarmOn('RunCompleted', templateOf(scheduled('rate(6 hours)')))).toMatchObject({
      EvaluationPeriods: 8,
    })
  })

  test('two schedules are watched together', () => {
    const both = templateOf(scheduled('cron(0 3 * * ? *)', 'cron(0 15 * * ? *)'))
    expect(alarmOn('RunCompleted', both)).toMatchObject({ EvaluationPeriods: 14 })
  })

  test.each(['cron(0 3 ? * MON *)', 'cron(0 3 1 * ? *)'])(
    '%s pauses longer than CloudWatch looks back: no alarm, and synth warns',
    (schedule) => {
      const stack = stackOf(scheduled(schedule))
      Annotations.fromStack(stack).hasWarning('*', Match.stringLikeRegexp('missing runs raise no alarm'))
      expect(JSON.stringify(templateOf(scheduled(schedule)).toJSON())).not.toContain('RunCompleted')
    },
  )
})

test('the rhythm of a schedule does not depend on the day of the synth', () => {
  expect(runRhythm(['cron(0/30 6-8 ? * MON-FRI *)'], 'Asia/Kolkata')).toEqual({
    shortestPauseSeconds: 1800,
    longestPauseSeconds: 69.5 * 3600,
  })
})
