import { ArnFormat, Duration, RemovalPolicy, Stack, TimeZone, Validations } from 'aws-cdk-lib'
import { type IRole, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { Schedule, ScheduleExpression, ScheduleGroup, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler'
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets'
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { type AlarmTelling, NamedAlarm } from './alarms/named-alarm.ts'

export interface ScheduledStartsProps {
  readonly queueName: string
  readonly groupName: string
  /** The functions that schedules start, by name: the role is there before they are. */
  readonly functionNames: readonly string[]
  readonly telling: AlarmTelling
}

export interface StartProps {
  readonly function: IFunction
  /** An EventBridge Scheduler expression. */
  readonly expression: string
  /** An IANA name; daylight saving follows it. */
  readonly timeZone: string
  /** What the function is told. */
  readonly input: Readonly<Record<string, string>>
}

/**
 * All that schedules of this stack share: one group, one role, and one queue for what could not be started or finished,
 * with an alarm each on the group and the queue. One of each per broker would do no more and be paid per broker.
 */
export class ScheduledStarts extends Construct {
  /** Gets what EventBridge Scheduler could not deliver, and what a function could not do. */
  readonly deadLetterQueue: IQueue
  readonly #group: ScheduleGroup
  readonly #role: IRole

  constructor(scope: Construct, id: string, props: ScheduledStartsProps) {
    super(scope, id)
    const queue = new Queue(this, 'DeadLetters', {
      queueName: props.queueName,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    })
    Validations.of(queue).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'it is a dead-letter queue itself, of the functions and their schedules',
    })
    this.deadLetterQueue = queue
    // A group of its own, because EventBridge Scheduler counts by group only.
    this.#group = new ScheduleGroup(this, 'Group', {
      scheduleGroupName: props.groupName,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    this.#role = this.#startingRole(props.functionNames)
    this.#alarms(queue, props)
  }

  /** Adds a schedule to a construct of whoever it starts. */
  start(scope: Construct, id: string, { function: handler, expression, timeZone, input }: StartProps): void {
    new Schedule(scope, id, {
      schedule: ScheduleExpression.expression(expression, TimeZone.of(timeZone)),
      scheduleGroup: this.#group,
      target: new LambdaInvoke(handler, {
        role: this.#role,
        deadLetterQueue: this.deadLetterQueue,
        input: ScheduleTargetInput.fromObject(input),
        // A late run is as good as one in time, but past an hour the next one is near or a person must look.
        retryAttempts: 10,
        maxEventAge: Duration.hours(1),
      }),
    })
  }

  /** Its own role instead of the targets', which would also reach every version and alias of the functions. */
  #startingRole(functionNames: readonly string[]): IRole {
    const stack = Stack.of(this)
    const functionArn = (resourceName: string): string =>
      stack.formatArn({
        service: 'lambda',
        resource: 'function',
        resourceName,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      })
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
      }),
      description: 'Lets EventBridge Scheduler start what is due',
      inlinePolicies: {
        Start: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['lambda:InvokeFunction'],
              resources: functionNames.map(functionArn),
            }),
            new PolicyStatement({
              actions: ['sqs:SendMessage'],
              resources: [this.deadLetterQueue.queueArn],
            }),
          ],
        }),
      },
    })
    return role.withoutPolicyUpdates()
  }

  #alarms(queue: Queue, { queueName, telling }: ScheduledStartsProps): void {
    new NamedAlarm(this, 'Undelivered', {
      title: 'could not start or finish a run',
      happened: 'A scheduled run or check could not be started, or its function failed',
      toDo: `read the newest message of the queue ${queueName}, and the log of the function it names`,
      // What arrives and not what lies there: nobody has to purge the queue before the next one is told of. By the hour,
      // so that a function which fails every few minutes is told of once.
      metric: queue.metricNumberOfMessagesSent({ period: Duration.hours(1) }),
      telling,
    })
    new NamedAlarm(this, 'Dropped', {
      title: 'schedules were dropped',
      happened: 'EventBridge Scheduler gave up starting a run',
      toDo: `read the newest message of the queue ${queueName}, and see whether the role of the schedules and the function are there`,
      metric: this.#group.metricDropped({ period: Duration.minutes(5) }),
      telling,
    })
  }
}
