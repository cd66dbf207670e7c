import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { Construct } from 'constructs'
import type { ScheduledStarts } from '../scheduled-starts.ts'

export interface BrokerSchedulesProps {
  readonly function: IFunction
  readonly starts: ScheduledStarts
  /** EventBridge Scheduler expressions. */
  readonly expressions: readonly string[]
  /** An IANA name; daylight saving follows it. */
  readonly timeZone: string
}

/** When the runs of one broker start. */
export class BrokerSchedules extends Construct {
  constructor(scope: Construct, id: string, props: BrokerSchedulesProps) {
    super(scope, id)
    const { function: handler, starts, expressions, timeZone } = props
    for (const [index, expression] of expressions.entries()) {
      starts.start(this, `Schedule${index + 1}`, {
        function: handler,
        expression,
        timeZone,
        input: { reason: 'schedule' },
      })
    }
  }
}
