import { Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import { stackMetric } from './metrics.ts'
import { type AlarmTelling, NamedAlarm } from './named-alarm.ts'

/** lib/brokers/README.md, Time. */
const DRIFT_ALARM_SECONDS = 15

export interface StackAlarmsProps {
  readonly metricsNamespace: string
  /** Whether programs look in a mirror, which this stack does not own and nobody else may watch. */
  readonly watchesMirror: boolean
  /** How people call our command for this stack. */
  readonly command: string
  readonly telling: AlarmTelling
}

/**
 * What is rare and alike for every broker: one alarm for all of them. Whose it was is in the log of the broker's function,
 * which has the metric as a line of its own.
 */
export class StackAlarms extends Construct {
  constructor(scope: Construct, id: string, props: StackAlarmsProps) {
    super(scope, id)
    const { metricsNamespace, command, telling } = props
    new NamedAlarm(this, 'TokenLost', {
      title: 'lost a refresh token',
      happened: 'A new refresh token could not be saved, and the old one is used up: somebody has to log in',
      toDo: `run ${command} status`,
      metric: stackMetric(metricsNamespace, 'TokenLost'),
      telling,
    })
    new NamedAlarm(this, 'NotifyFailed', {
      title: 'could not tell people',
      happened: 'People could not be told what only they can do',
      toDo: `run ${command} status`,
      metric: stackMetric(metricsNamespace, 'NotifyFailed'),
      telling,
    })
    new NamedAlarm(this, 'ClockDrift', {
      title: 'disagrees with a broker on the time',
      happened: `The clock of a broker and ours are more than ${DRIFT_ALARM_SECONDS} s apart, so that one-time codes will be refused`,
      toDo: 'find ClockDriftSeconds in the logs of the functions, which says whose',
      metric: stackMetric(metricsNamespace, 'ClockDriftSeconds', Stats.MAXIMUM),
      threshold: DRIFT_ALARM_SECONDS,
      telling,
    })
    // An alarm costs money each month: SNS alone, which carries the events, is too sure to be worth it.
    if (!props.watchesMirror) return
    new NamedAlarm(this, 'SubscriberFailed', {
      title: 'could not mirror a token',
      happened: 'The Redis mirror or an event missed a token that SSM has',
      toDo: 'find SubscriberFailed in the logs of the functions, which says whose',
      metric: stackMetric(metricsNamespace, 'SubscriberFailed'),
      telling,
    })
  }
}
