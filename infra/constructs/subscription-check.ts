import { Duration, RemovalPolicy, Stack, TimeZone } from 'aws-cdk-lib'
import {
  Alarm,
  ComparisonOperator,
  type IAlarmAction,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import {
  Architecture,
  type IFunction,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda'
import { type ILogGroup, LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler'
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { bundledCode } from './bundle/bundle.ts'
import { commandVariable } from './environment.ts'

/** Before anybody's market opens and when people look at their mail. */
const DAILY_AT = '7'
/** What functions/runtime/subscriptions-handler.ts counts. */
const METRIC = 'AlertSubscriptionProblems'

export interface SubscriptionCheckProps {
  readonly functionName: string
  readonly topic: ITopic
  /** Addresses that ought to be subscribed. */
  readonly emails: readonly string[]
  /** An IANA name. */
  readonly timeZone: string
  readonly metricsNamespace: string
  /** What the alarms do when they go off, for those who do hear. */
  readonly alarmAction: IAlarmAction
  readonly logRetention: RetentionDays
  /** How people call our command for this stack. */
  readonly command: string
}

/**
 * Looks once a day whether alerts reach people, and will tomorrow. A topic nobody listens to can tell nobody so: the
 * alarm is what is left to be seen then, in CloudWatch.
 */
export class SubscriptionCheck extends Construct {
  constructor(scope: Construct, id: string, props: SubscriptionCheckProps) {
    super(scope, id)
    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${props.functionName}`,
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: 'What the check of the alert subscriptions may do',
      inlinePolicies: { Check: permissions(props.topic, logGroup) },
    })
    const handler = new LambdaFunction(this, 'Function', {
      functionName: props.functionName,
      description: 'Looks whether alerts reach people',
      code: bundledCode('subscriptions.ts'),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role: role.withoutPolicyUpdates(),
      memorySize: 256,
      timeout: Duration.minutes(1),
      environment: {
        TOKENKEEPER_TOPIC_ARN: props.topic.topicArn,
        ...commandVariable(props.command),
        POWERTOOLS_METRICS_NAMESPACE: props.metricsNamespace,
        ...(props.emails.length > 0 && { TOKENKEEPER_ALERT_EMAILS: props.emails.join(',') }),
      },
      logGroup,
      loggingFormat: LoggingFormat.JSON,
    })
    this.#daily(handler, props.timeZone)
    this.#alarms(handler, props)
  }

  #daily(handler: IFunction, timeZone: string): void {
    const sourceAccount = { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } }
    const role = new Role(this, 'SchedulerRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', { conditions: sourceAccount }),
      description: 'Lets EventBridge Scheduler start the check of the alert subscriptions',
      inlinePolicies: {
        Start: new PolicyDocument({
          statements: [
            new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [handler.functionArn] }),
          ],
        }),
      },
    })
    new Schedule(this, 'Daily', {
      schedule: ScheduleExpression.cron({ minute: '0', hour: DAILY_AT, timeZone: TimeZone.of(timeZone) }),
      target: new LambdaInvoke(handler, {
        role: role.withoutPolicyUpdates(),
        input: ScheduleTargetInput.fromObject({ reason: 'schedule' }),
      }),
    })
  }

  /** One datum a day: an alarm keeps its state until the next, and a check by hand after a repair ends it at once. */
  #alarms(
    handler: IFunction,
    { topic, metricsNamespace, alarmAction, command }: SubscriptionCheckProps,
  ): void {
    const problems = new Alarm(this, 'Problems', {
      metric: new Metric({
        namespace: metricsNamespace,
        metricName: METRIC,
        dimensionsMap: { topic: topic.topicName },
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(5),
      }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.IGNORE,
      alarmDescription: `Alerts do not reach everybody they should; run ${command} alerts list`,
    })
    problems.addAlarmAction(alarmAction)
    problems.addOkAction(alarmAction)
    const errors = new Alarm(this, 'Errors', {
      metric: handler.metricErrors({ period: Duration.minutes(5) }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: 'Nobody knows whether alerts reach people: the daily check failed; read its log',
    })
    errors.addAlarmAction(alarmAction)
  }
}

/**
 * SNS knows no subscriptions as resources: it holds GetSubscriptionAttributes against the ARN of the topic, as its
 * refusals say ("not authorized to perform: SNS:GetSubscriptionAttributes on resource: <the topic>").
 */
function permissions(topic: ITopic, logGroup: ILogGroup): PolicyDocument {
  return new PolicyDocument({
    statements: [
      new PolicyStatement({
        sid: 'LookWhoListens',
        actions: ['sns:GetSubscriptionAttributes', 'sns:ListSubscriptionsByTopic'],
        resources: [topic.topicArn],
      }),
      new PolicyStatement({ sid: 'TellWhoListens', actions: ['sns:Publish'], resources: [topic.topicArn] }),
      new PolicyStatement({
        sid: 'LogOfTheCheck',
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [logGroup.logGroupArn],
      }),
    ],
  })
}
