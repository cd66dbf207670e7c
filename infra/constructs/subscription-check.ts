import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, Function as LambdaFunction, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import { type ILogGroup, LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { type AlarmTelling, NamedAlarm } from './alarms/named-alarm.ts'
import { bundledCode } from './bundle/bundle.ts'
import { commandVariable } from './environment.ts'
import type { ScheduledStarts } from './scheduled-starts.ts'

/** Before anybody's market opens and when people look at their mail. */
const DAILY = 'cron(0 7 * * ? *)'
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
  readonly starts: ScheduledStarts
  /** Tells those who do hear. */
  readonly telling: AlarmTelling
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
      inlinePolicies: { Check: permissions(props, logGroup) },
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
      onFailure: new SqsDestination(props.starts.deadLetterQueue),
    })
    props.starts.start(this, 'Daily', {
      function: handler,
      expression: DAILY,
      timeZone: props.timeZone,
      input: { reason: 'schedule' },
    })
    // One datum a day: the alarm keeps its state until the next, and a check by hand after a repair ends it at once.
    new NamedAlarm(this, 'Problems', {
      title: 'alerts do not reach everybody',
      happened: 'Alerts do not reach everybody they should',
      toDo: `run ${props.command} alerts list`,
      metric: new Metric({
        namespace: props.metricsNamespace,
        metricName: METRIC,
        dimensionsMap: { topic: props.topic.topicName },
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(5),
      }),
      lasts: true,
      telling: props.telling,
    })
  }
}

/**
 * SNS knows no subscriptions as resources: it holds GetSubscriptionAttributes against the ARN of the topic, as its
 * refusals say ("not authorized to perform: SNS:GetSubscriptionAttributes on resource: <the topic>").
 */
function permissions({ topic, starts }: SubscriptionCheckProps, logGroup: ILogGroup): PolicyDocument {
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
      new PolicyStatement({
        sid: 'LeaveWhatFailed',
        actions: ['sqs:SendMessage'],
        resources: [starts.deadLetterQueue.queueArn],
      }),
    ],
  })
}
