import {
  Alarm,
  ComparisonOperator,
  type IAlarmAction,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import type { Construct } from 'constructs'

/** Who tells people of an alarm, and whose alarm it is. */
export interface AlarmTelling {
  readonly stackName: string
  readonly action: IAlarmAction
}

export interface NamedAlarmProps {
  /** What follows the stack's name in the subject of a mail, such as "cannot renew accounts of FYERS". */
  readonly title: string
  /** One sentence. */
  readonly happened: string
  /** One imperative sentence, without a semicolon. */
  readonly toDo: string
  readonly metric: IMetric
  /** From how much on. @default - at the first occurrence */
  readonly threshold?: number
  /**
   * Whether it stays as it is until there is other data, and then tells of its end; for what is measured now and then.
   *
   * @default - no data is good news, and the end is told to nobody
   */
  readonly lasts?: boolean
  readonly telling: AlarmTelling
}

/**
 * An alarm that goes off in one period. Its name is the subject of the mail, and its description says what happened and,
 * behind the last semicolon, what to do: functions/runtime/alarms/alarm-event.ts takes the two apart.
 */
export class NamedAlarm extends Alarm {
  constructor(scope: Construct, id: string, props: NamedAlarmProps) {
    const { title, happened, toDo, metric, threshold = 1, lasts = false, telling } = props
    super(scope, id, {
      alarmName: `${telling.stackName} ${title}`,
      alarmDescription: `${happened}; ${toDo}`,
      metric,
      threshold,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: lasts ? TreatMissingData.IGNORE : TreatMissingData.NOT_BREACHING,
    })
    this.addAlarmAction(telling.action)
    if (lasts) this.addOkAction(telling.action)
  }
}
