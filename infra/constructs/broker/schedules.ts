import { Duration, Stack, TimeZone } from 'aws-cdk-lib'
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler'
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'

export interface BrokerSchedulesProps {
  readonly function: IFunction
  /** Gets what EventBridge Scheduler could not deliver. */
  readonly deadLetterQueue: IQueue
  /** EventBridge Scheduler expressions. */
  readonly expressions: readonly string[]
  /** An IANA name; daylight saving follows it. */
  readonly timeZone: string
}

/** When the runs of one broker start. */
export class BrokerSchedules extends Construct {
  constructor(scope: Construct, id: string, props: BrokerSchedulesProps) {
    super(scope, id)
    const target = new LambdaInvoke(props.function, {
      role: this.#role(props),
      deadLetterQueue: props.deadLetterQueue,
      input: ScheduleTargetInput.fromObject({ reason: 'schedule' }),
      // A late run is as good as one in time, but past an hour the next one is near or a person must look.
      retryAttempts: 10,
      maxEventAge: Duration.hours(1),
    })
    for (const [index, expression] of props.expressions.entries()) {
      new Schedule(this, `Schedule${index + 1}`, {
        schedule: ScheduleExpression.expression(expression, TimeZone.of(props.timeZone)),
        target,
      })
    }
  }

  /** Its own role instead of the target's, which would also reach every version and alias of the function. */
  #role({ function: handler, deadLetterQueue }: BrokerSchedulesProps) {
    const sourceAccount = { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } }
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', { conditions: sourceAccount }),
      description: 'Lets EventBridge Scheduler start the runs of one broker',
      inlinePolicies: {
        Start: new PolicyDocument({
          statements: [
            new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [handler.functionArn] }),
            new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [deadLetterQueue.queueArn] }),
          ],
        }),
      },
    })
    return role.withoutPolicyUpdates()
  }
}
