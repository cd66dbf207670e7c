import { Construct } from 'constructs'
import { brokerMetric } from '../alarms/metrics.ts'
import { type AlarmTelling, NamedAlarm } from '../alarms/named-alarm.ts'

export interface BrokerAlarmsProps {
  readonly brokerId: string
  readonly displayName: string
  readonly metricsNamespace: string
  /** How people call our command for this stack. */
  readonly command: string
  readonly telling: AlarmTelling
}

/**
 * The one alarm each broker has to itself: accounts that runs leave without success. It must not be shared, since one
 * broker's good run says nothing of another's accounts. What to count, and when none is left, the function decides, which
 * knows the accounts and its next run (functions/runtime/refresh/unsuccessful.ts); the alarm keeps its state in between.
 */
export class BrokerAlarms extends Construct {
  constructor(scope: Construct, id: string, props: BrokerAlarmsProps) {
    super(scope, id)
    const { brokerId, displayName, metricsNamespace, command, telling } = props
    new NamedAlarm(this, 'Unsuccessful', {
      title: `cannot renew accounts of ${displayName}`,
      happened: `${displayName}: accounts could not be refreshed, or replies to logins were lost, and the next run will not mend it soon`,
      toDo: `run ${command} status`,
      metric: brokerMetric(metricsNamespace, 'Unsuccessful', brokerId),
      lasts: true,
      telling,
    })
  }
}
