import { Annotations, Duration } from 'aws-cdk-lib'
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  type IAlarmAction,
  type IMetric,
  Metric,
  type MetricOptions,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { Metric as MetricName } from '../../../lib/ports/telemetry.ts'
import { runRhythm } from './run-rhythm.ts'

/** CloudWatch looks back seven days at the most, in periods of an hour or more. */
const LONGEST_LOOKBACK_HOURS = 7 * 24
/** How late a run may be before silence is alarming, besides the time it may take. */
const SILENCE_SLACK_MINUTES = 60
/** Where runs come this often, one failed run says little: the next one is near and may mend it. */
const DENSE_PAUSE_SECONDS = 3600
/** lib/brokers/README.md, Time. */
const DRIFT_ALARM_SECONDS = 15

export interface BrokerAlarmsProps {
  readonly brokerId: string
  readonly metricsNamespace: string
  readonly displayName: string
  readonly function: IFunction
  readonly deadLetterQueue: IQueue
  readonly expressions: readonly string[]
  readonly timeZone: string
  readonly timeoutMinutes: number
  /** Whether programs look in a mirror, which this stack does not own and nobody else may watch. */
  readonly watchesMirror: boolean
  /** How people call our command for this stack. */
  readonly command: string
  /** What every alarm does when it goes off. */
  readonly action: IAlarmAction
}

/** The second way out, beside the runs' own alerts: what to hear of when a run fails, or when there is none. */
export class BrokerAlarms extends Construct {
  readonly #props: BrokerAlarmsProps

  constructor(scope: Construct, id: string, props: BrokerAlarmsProps) {
    super(scope, id)
    this.#props = props
    const { displayName: broker, command } = props
    const rhythm = runRhythm(props.expressions, props.timeZone)

    const { shortestPauseSeconds } = rhythm
    this.#unsuccessful('Failed', shortestPauseSeconds, 'accounts could not be refreshed')
    this.#unsuccessful('Ambiguous', shortestPauseSeconds, 'replies to logins were lost')
    this.#once(
      'TokenLost',
      this.#metric('TokenLost'),
      `${broker}: a new refresh token could not be saved; log in now`,
    )
    this.#once('Errors', props.function.metricErrors(), `${broker}: the function itself failed; read its log`)
    this.#once(
      'NotifyFailed',
      this.#metric('NotifyFailed'),
      `${broker}: people could not be told what only they can do; run ${command} status`,
    )
    // An alarm costs money each month: SNS alone, which carries the events, is too sure to be worth it.
    if (props.watchesMirror) {
      this.#once(
        'SubscriberFailed',
        this.#metric('SubscriberFailed'),
        `${broker}: the Redis mirror or an event missed a token that SSM has; read the log of the function`,
      )
    }
    this.#once(
      'ClockDrift',
      this.#metric('ClockDriftSeconds', { statistic: Stats.MAXIMUM }),
      `${broker}: its clock and ours are more than ${DRIFT_ALARM_SECONDS} s apart; one-time codes will be refused`,
      DRIFT_ALARM_SECONDS,
    )
    this.#once(
      'Undelivered',
      props.deadLetterQueue.metricApproximateNumberOfMessagesVisible(),
      `${broker}: a run could not be started or finished; read the dead-letter queue, then purge it`,
    )
    this.#silent(rhythm.longestPauseSeconds)
  }

  /**
   * Accounts without success for more than one run where runs are dense, at once where the next run is far. Every run
   * reports the metric, zero included, so the alarm ends with the first good run and keeps its state in between.
   */
  #unsuccessful(metric: 'Failed' | 'Ambiguous', shortestPauseSeconds: number, what: string): void {
    const dense = shortestPauseSeconds <= DENSE_PAUSE_SECONDS
    const minutes = dense ? Math.max(1, Math.round(shortestPauseSeconds / 60)) : 5
    const alarm = this.#alarm(metric, {
      metric: this.#metric(metric, { period: Duration.minutes(minutes) }),
      threshold: 1,
      evaluationPeriods: dense ? 2 : 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.IGNORE,
      alarmDescription: `${this.#props.displayName}: ${what}; run ${this.#props.command} status`,
    })
    alarm.addOkAction(this.#props.action)
  }

  /** No run came to its end for longer than the schedules ever pause. */
  #silent(longestPauseSeconds: number): void {
    const { displayName, timeoutMinutes } = this.#props
    const minutes = longestPauseSeconds / 60 + timeoutMinutes + SILENCE_SLACK_MINUTES
    const hours = Math.ceil(minutes / 60)
    if (hours > LONGEST_LOOKBACK_HOURS) {
      Annotations.of(this).addWarningV2(
        'tokenkeeper:silence-unwatched',
        `${displayName} pauses for more than CloudWatch can look back (7 days): missing runs raise no alarm. Schedule it at least every six days`,
      )
      return
    }
    const alarm = this.#alarm('Silent', {
      metric: this.#metric('RunCompleted', { period: Duration.hours(1) }),
      threshold: 1,
      evaluationPeriods: hours,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: TreatMissingData.BREACHING,
      alarmDescription: `${displayName}: no run was completed for ${hours} hours; check schedules and function`,
    })
    alarm.addOkAction(this.#props.action)
  }

  /** Goes off at the first occurrence. */
  #once(id: string, metric: IMetric, alarmDescription: string, threshold = 1): void {
    this.#alarm(id, {
      metric,
      threshold,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription,
    })
  }

  #alarm(id: string, props: AlarmProps): Alarm {
    const alarm = new Alarm(this, id, props)
    alarm.addAlarmAction(this.#props.action)
    return alarm
  }

  #metric(metricName: MetricName, options: MetricOptions = {}): Metric {
    return new Metric({
      namespace: this.#props.metricsNamespace,
      metricName,
      dimensionsMap: { broker: this.#props.brokerId },
      statistic: Stats.SUM,
      period: Duration.minutes(5),
      ...options,
    })
  }
}
