import { Match, type Template } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import { BROKER_IDS } from '../../lib/brokers/index.ts'
import {
  actionsOf,
  arnText,
  FYERS_ONLY,
  type Resource,
  resourcesOf,
  statementsOf,
  TWO_BROKERS,
  templateOf,
} from './template.ts'

const template = templateOf(FYERS_ONLY)
const everyBroker = Object.fromEntries(BROKER_IDS.map((id) => [id, {}]))
const redis = { url: 'rediss://redis.example.invalid:6380' }

function alarmsOf(of: Template): readonly Resource['Properties'][] {
  return resourcesOf(of, 'AWS::CloudWatch::Alarm').map(({ Properties }) => Properties)
}

/** The one alarm on a metric. */
function alarmOn(metric: string, of = template): Record<string, unknown> {
  const found = alarmsOf(of).filter(({ MetricName }) => MetricName === metric)
  expect(found).toHaveLength(1)
  return found[0] ?? {}
}

function functionId(of: Template, name: string): string {
  const all = Object.entries(of.findResources('AWS::Lambda::Function'))
  return all.find(([, { Properties }]) => Properties['FunctionName'] === name)?.[0] ?? ''
}

describe('R3.9 whoever is told of alarms', () => {
  const teller = functionId(template, 'Tokenkeeper-alarms')
  const [topic = ''] = Object.keys(template.findResources('AWS::SNS::Topic'))

  test('is told by a function, which gives messages their attributes, and of its own failure by the topic', () => {
    const own = { 'Fn::GetAtt': [teller, 'Arn'] }
    const direct = alarmsOf(template).filter(
      ({ AlarmActions }) => JSON.stringify(AlarmActions) !== JSON.stringify([own]),
    )
    expect(alarmsOf(template).length).toBeGreaterThan(5)
    expect(direct).toEqual([
      expect.objectContaining({
        MetricName: 'Errors',
        Dimensions: [{ Name: 'FunctionName', Value: { Ref: teller } }],
        AlarmActions: [{ Ref: topic }],
      }),
    ])
  })

  test('is told by no alarm of another stack or account', () => {
    const [permission] = resourcesOf(template, 'AWS::Lambda::Permission').filter(
      ({ Properties }) => Properties['Principal'] === 'lambda.alarms.cloudwatch.amazonaws.com',
    )
    expect(permission?.Properties).toMatchObject({ SourceAccount: { Ref: 'AWS::AccountId' } })
    expect(arnText(permission?.Properties['SourceArn'])).toBe(
      'arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:Tokenkeeper*',
    )
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: {
              StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
              ArnLike: { 'aws:SourceArn': permission?.Properties['SourceArn'] },
            },
          }),
        ]),
      },
    })
  })

  test('is told by a function that may publish and write its own log, and nothing else', () => {
    expect(statementsOf(template, 'Tokenkeeper-alarms').flatMap(actionsOf)).toEqual([
      'sns:Publish',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ])
  })

  test('reads the stack and what is wrong in the subject, and what to do in the text', () => {
    const all = alarmsOf(templateOf({ brokers: everyBroker, mirrors: { redis } }))
    const names = all.map(({ AlarmName }) => String(AlarmName))
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(name).toMatch(/^Tokenkeeper [a-z][\w .()-]{10,60}$/i)
    for (const { AlarmDescription } of all) expect(AlarmDescription).toMatch(/^[A-Z].*[^;]; [a-z][^;]*$/)
    expect(alarmOn('Unsuccessful')['AlarmName']).toBe('Tokenkeeper cannot renew accounts of FYERS')
    expect(alarmOn('Unsuccessful', templateOf({ ...FYERS_ONLY, stackName: 'Second' }))['AlarmName']).toBe(
      'Second cannot renew accounts of FYERS',
    )
  })
})

describe('R3.9 accounts that runs leave without success', () => {
  test('are an alarm of their broker at once, until its function counts none', () => {
    expect(alarmOn('Unsuccessful')).toMatchObject({
      Namespace: 'Tokenkeeper',
      Dimensions: [{ Name: 'broker', Value: 'fyers' }],
      Statistic: 'Maximum',
      Threshold: 1,
      EvaluationPeriods: 1,
      TreatMissingData: 'ignore',
      OKActions: [{ 'Fn::GetAtt': [functionId(template, 'Tokenkeeper-alarms'), 'Arn'] }],
    })
  })
})

describe('R3.9 what is alike for every broker', () => {
  const both = templateOf(TWO_BROKERS)

  test.each(['TokenLost', 'NotifyFailed'])(
    'has one alarm: one %s is enough, and no data is good news',
    (metric) => {
      expect(alarmOn(metric, both)).toMatchObject({
        Dimensions: [{ Name: 'stack', Value: 'Tokenkeeper' }],
        Statistic: 'Sum',
        Threshold: 1,
        EvaluationPeriods: 1,
        TreatMissingData: 'notBreaching',
      })
    },
  )

  test('R2.8 a mirror that missed a token is an alarm, where there is one', () => {
    expect(alarmOn('SubscriberFailed', templateOf({ ...TWO_BROKERS, mirrors: { redis } }))).toMatchObject({
      Threshold: 1,
      TreatMissingData: 'notBreaching',
      Dimensions: [{ Name: 'stack', Value: 'Tokenkeeper' }],
    })
    expect(JSON.stringify(both.toJSON())).not.toContain('SubscriberFailed')
  })

  test('a clock more than 15 s off is an alarm', () => {
    expect(alarmOn('ClockDriftSeconds', both)).toMatchObject({ Threshold: 15, Statistic: 'Maximum' })
  })

  test('every start or run that failed is told of, whether or not anybody has emptied the queue', () => {
    const [queue] = Object.keys(both.findResources('AWS::SQS::Queue'))
    expect(alarmOn('NumberOfMessagesSent', both)).toMatchObject({
      Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [queue, 'QueueName'] } }],
      Statistic: 'Sum',
      Period: 3600,
      Threshold: 1,
      TreatMissingData: 'notBreaching',
    })
  })

  test('what EventBridge Scheduler dropped is an alarm, of this stack’s schedules alone', () => {
    const [group] = resourcesOf(both, 'AWS::Scheduler::ScheduleGroup')
    expect(group?.Properties).toMatchObject({ Name: 'Tokenkeeper' })
    expect(alarmOn('InvocationDroppedCount', both)).toMatchObject({
      Namespace: 'AWS/Scheduler',
      Dimensions: [{ Name: 'ScheduleGroup', Value: 'Tokenkeeper' }],
      Statistic: 'Sum',
      TreatMissingData: 'notBreaching',
    })
    const groups = resourcesOf(both, 'AWS::Scheduler::Schedule').map(
      ({ Properties }) => Properties['GroupName'],
    )
    expect(new Set(groups.map((name) => JSON.stringify(name))).size).toBe(1)
    expect(groups[0]).not.toBe(undefined)
  })
})

test('R3.9 nothing goes off on a new stack: no alarm takes missing data for bad news', () => {
  const all = alarmsOf(templateOf({ brokers: everyBroker, mirrors: { redis } }))
  expect(new Set(all.map(({ TreatMissingData }) => TreatMissingData))).toEqual(
    new Set(['ignore', 'notBreaching']),
  )
})
