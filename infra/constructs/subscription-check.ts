import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, Function as LambdaFunction, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import { type ILogGroup, LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { Temporal } from 'temporal-polyfill'
import type { BrokerSettings } from '../../lib/brokers/settings.ts'
import type { Broker, TradingSession } from '../../lib/ports/broker/broker.ts'
import { type AlarmTelling, NamedAlarm } from './alarms/named-alarm.ts'
import { bundledCode } from './bundle/bundle.ts'
import { commandVariable, functionEnvironment, settingsVariable } from './environment.ts'
import { RUNS_PARTITION, runsPartitionOf } from './policy/runs-partition.ts'
import type { ScheduledStarts } from './scheduled-starts.ts'

/** Before anybody's market opens and when people look at their mail, on every day: some brokers run on Saturdays. */
const DAILY = 'cron(0 7 * * ? *)'
/** Late enough for the runs of the morning to have begun, early enough to do something. */
/** A Monday of a week with sessions everywhere. */
const ORDINARY_WEEK = Temporal.PlainDate.from('2026-08-03')
const MINUTES_BEFORE_OPEN = 30
/** What functions/runtime/subscriptions-handler.ts counts. */
const METRIC = 'AlertSubscriptionProblems'

export interface SubscriptionCheckProps {
  readonly functionName: string
  readonly stackName: string
  readonly topic: ITopic
  readonly table: Table
  /** Those whose schedules are looked at. */
  readonly brokers: readonly { readonly broker: Broker; readonly settings: BrokerSettings }[]
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
 * Looks once a day whether alerts reach people, and will tomorrow, and whether the schedules have started the runs that
 * were due; at the latter once more shortly before the open; and whether trading days are known for long enough. A topic nobody listens to can tell nobody so: the alarm is
 * what is left to be seen then, in CloudWatch.
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
      description: 'What the daily check of alert subscriptions and scheduled runs may do',
      inlinePolicies: { Check: permissions(props, logGroup) },
    })
    const handler = new LambdaFunction(this, 'Function', {
      functionName: props.functionName,
      description: 'Looks whether alerts reach people, and whether scheduled runs come',
      code: bundledCode('subscriptions.ts'),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role: role.withoutPolicyUpdates(),
      memorySize: 256,
      timeout: Duration.minutes(1),
      environment: environmentOf(props),
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
    const beforeOpen = beforeFirstOpen(props.brokers)
    if (beforeOpen) {
      props.starts.start(this, 'BeforeOpen', {
        function: handler,
        ...beforeOpen,
        input: { reason: 'schedule', only: 'runs' },
      })
    }
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

/** The variables functions/runtime/check-environment.ts reads. */
function environmentOf(props: SubscriptionCheckProps): Record<string, string> {
  const settings = Object.fromEntries(props.brokers.map(({ broker, settings }) => [broker.id, settings]))
  return functionEnvironment(props.functionName, {
    TOKENKEEPER_TOPIC_ARN: props.topic.topicArn,
    TOKENKEEPER_STACK: props.stackName,
    TOKENKEEPER_TABLE: props.table.tableName,
    ...settingsVariable(settings),
    ...commandVariable(props.command),
    POWERTOOLS_METRICS_NAMESPACE: props.metricsNamespace,
    TOKENKEEPER_ALERT_EMAILS: props.emails.join(',') || undefined,
  })
}

/** When to look at the runs once more on a trading day; nothing where no broker has a market. */
function beforeFirstOpen(
  brokers: SubscriptionCheckProps['brokers'],
): { readonly expression: string; readonly timeZone: string } | undefined {
  const opens = brokers.flatMap(({ broker }) => usualOpen(broker.tradingSession) ?? [])
  const [first] = opens.toSorted(
    (one, other) => one.hour * 60 + one.minute - (other.hour * 60 + other.minute),
  )
  if (!first) return undefined
  const at = first.hour * 60 + first.minute - MINUTES_BEFORE_OPEN
  return { expression: `cron(${at % 60} ${Math.floor(at / 60)} ? * MON-FRI *)`, timeZone: first.timeZone }
}

/** The clock at the open of an ordinary day: markets open at the same time of their zone all year. */
function usualOpen(session: TradingSession | undefined) {
  for (let days = 0; session && days < 7; days++) {
    const day = session.on(ORDINARY_WEEK.add({ days }))
    if (!day) continue
    const { hour, minute } = day.opens.toZonedDateTimeISO(session.timeZone)
    return { hour, minute, timeZone: session.timeZone }
  }
  return undefined
}

/**
 * SNS knows no subscriptions as resources: it holds GetSubscriptionAttributes against the ARN of the topic, as its
 * refusals say ("not authorized to perform: SNS:GetSubscriptionAttributes on resource: <the topic>").
 */
function permissions(
  { topic, table, brokers, starts }: SubscriptionCheckProps,
  logGroup: ILogGroup,
): PolicyDocument {
  return new PolicyDocument({
    statements: [
      new PolicyStatement({
        sid: 'LookWhoListens',
        actions: ['sns:GetSubscriptionAttributes', 'sns:ListSubscriptionsByTopic'],
        resources: [topic.topicArn],
      }),
      new PolicyStatement({ sid: 'TellWhoListens', actions: ['sns:Publish'], resources: [topic.topicArn] }),
      new PolicyStatement({
        sid: 'LookAtRuns',
        actions: ['dynamodb:GetItem'],
        resources: [table.tableArn],
        conditions: ofPartitions([
          RUNS_PARTITION,
          ...brokers.map(({ broker }) => runsPartitionOf(broker.id)),
        ]),
      }),
      new PolicyStatement({
        sid: 'RememberSchedules',
        actions: ['dynamodb:PutItem'],
        resources: [table.tableArn],
        conditions: ofPartitions([RUNS_PARTITION]),
      }),
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

function ofPartitions(keys: readonly string[]) {
  return { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': keys } }
}
