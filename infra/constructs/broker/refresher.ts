import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib'
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { approvalSchedule } from '../../../lib/markets/schedule.ts'
import type { RedisMirrorSettings } from '../../../lib/mirrors/config.ts'
import { commandVariable, definedOnly, hostVariables } from '../environment.ts'
import { BrokerAlarms } from './alarms.ts'
import { BrokerFunction } from './function.ts'
import { brokerPermissions } from './permissions.ts'
import { BrokerSchedules } from './schedules.ts'

export interface BrokerRefresherProps {
  readonly brokerId: string
  /** How people call the broker. */
  readonly displayName: string
  readonly functionName: string
  /** First part of every parameter name, such as /stock-pipeline. */
  readonly parameterPrefix: string
  readonly table: Table
  readonly topic: ITopic
  /** Told of each published token. @default - programs are told of none */
  readonly eventsTopic?: ITopic | undefined
  readonly alarmAction: IAlarmAction
  readonly metricsNamespace: string
  /** EventBridge Scheduler expressions. */
  readonly schedules: readonly string[]
  /** An IANA name. */
  readonly timeZone: string
  readonly timeoutMinutes: number
  readonly memoryMb: number
  readonly logRetention: RetentionDays
  /** Seconds between the starts of two accounts. */
  readonly pacingSeconds: number
  /** @default - the broker's own: a third of the token's life, at least 30 min */
  readonly leewayMinutes?: number | undefined
  /** @default - no ceiling but the broker's */
  readonly maxLifetimeHours?: number | undefined
  /** Origins by host name. @default - the broker's own hosts */
  readonly hosts?: Readonly<Record<string, string | undefined>>
  /** Hosts that may be spoken to over plain http. @default - none but loopback */
  readonly allowHttpHosts?: readonly string[]
  /** @default - the account's aws/ssm key */
  readonly vaultKey?: IKey | undefined
  /** When a person is asked again for what is still open. */
  readonly remindMinutesBeforeOpen: readonly number[]
  /** How near the open each token is proven once more. @default - 45 */
  readonly proveMinutesBeforeOpen?: number | undefined
  /** When the broker is told to ask its customer in its own app, HH:MM; a run is started then. @default - never */
  readonly approvalAt?: string | undefined
  /** Whether the broker has a market, and so no business on a weekend. */
  readonly onTradingDaysOnly: boolean
  /** Gets a copy of each published access token. @default - tokens are nowhere but in SSM */
  readonly redis?: RedisMirrorSettings | undefined
  /** The login site's address, which alerts link to. @default - there is no site: alerts have no link */
  readonly siteUrl?: string | undefined
  /** How people call our command for this stack. */
  readonly command: string
}

/** Everything that keeps the tokens of one broker alive: function, role, log, schedules, alarms. */
export class BrokerRefresher extends Construct {
  readonly function: IFunction

  constructor(scope: Construct, id: string, props: BrokerRefresherProps) {
    super(scope, id)
    const deadLetterQueue = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    })
    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${props.functionName}`,
      retention: props.logRetention,
      // Logs are no record (the state table is): kept ones would stand in the way of deploying again.
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `What the ${props.displayName} refresher may do`,
      inlinePolicies: {
        Refresh: brokerPermissions(this, {
          ...props,
          logGroup,
          deadLetterQueue,
          signsLinks: props.siteUrl !== undefined,
          writesRedis: props.redis !== undefined,
        }),
      },
    })
    this.function = new BrokerFunction(this, 'Function', {
      ...props,
      role: role.withoutPolicyUpdates(),
      logGroup,
      deadLetterQueue,
      environment: environmentOf(props),
    })
    new BrokerSchedules(this, 'Schedules', {
      function: this.function,
      deadLetterQueue,
      expressions: [...props.schedules, ...approvalSchedule(props.approvalAt, props.onTradingDaysOnly)],
      timeZone: props.timeZone,
    })
    new BrokerAlarms(this, 'Alarms', {
      ...props,
      function: this.function,
      deadLetterQueue,
      expressions: props.schedules,
      watchesMirror: props.redis !== undefined,
      action: props.alarmAction,
    })
    const below = `arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter${props.parameterPrefix}/${props.brokerId}/*`
    acknowledge(
      role,
      `AwsSolutions-IAM5[Resource::${below}]`,
      'accounts are added at run time, below this path only',
    )
    acknowledge(
      role,
      `AwsSolutions-IAM5[Resource::${below}/pending]`,
      'of each of those accounts a token kept for its proof is removed once it is published',
    )
    acknowledge(
      deadLetterQueue,
      'AwsSolutions-SQS3',
      'it is a dead-letter queue itself, of the function and its schedules',
    )
  }
}

/** Accepts one cdk-nag finding of one resource, and says why. */
function acknowledge(resource: Construct, id: string, reason: string): void {
  Validations.of(resource).acknowledge({ id, reason })
}

/** The variables functions/runtime/environment.ts reads. */
function environmentOf(props: BrokerRefresherProps): Record<string, string> {
  return definedOnly({
    TOKENKEEPER_PREFIX: props.parameterPrefix,
    TOKENKEEPER_TABLE: props.table.tableName,
    TOKENKEEPER_TOPIC_ARN: props.topic.topicArn,
    TOKENKEEPER_EVENTS_TOPIC_ARN: props.eventsTopic?.topicArn,
    TOKENKEEPER_REDIS_URL: props.redis?.url,
    TOKENKEEPER_REDIS_DEFAULT_ACCOUNTS: props.redis?.defaultAccounts.join(',') || undefined,
    TOKENKEEPER_KEY_ID: props.vaultKey?.keyId,
    TOKENKEEPER_PACING_SECONDS: String(props.pacingSeconds),
    TOKENKEEPER_LEEWAY_MINUTES: props.leewayMinutes?.toString(),
    TOKENKEEPER_MAX_LIFETIME_HOURS: props.maxLifetimeHours?.toString(),
    TOKENKEEPER_REMIND_MINUTES_BEFORE_OPEN: props.remindMinutesBeforeOpen.join(','),
    TOKENKEEPER_PROVE_MINUTES_BEFORE_OPEN: props.proveMinutesBeforeOpen?.toString(),
    TOKENKEEPER_APPROVAL_AT: props.approvalAt,
    TOKENKEEPER_SITE_URL: props.siteUrl,
    ...commandVariable(props.command),
    TOKENKEEPER_ALLOW_HTTP_HOSTS: props.allowHttpHosts?.join(',') || undefined,
    POWERTOOLS_METRICS_NAMESPACE: props.metricsNamespace,
    ...hostVariables(props.hosts),
  })
}
