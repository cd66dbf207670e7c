import { RemovalPolicy, Validations } from 'aws-cdk-lib'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { IParameter } from 'aws-cdk-lib/aws-ssm'
import { Construct } from 'constructs'
import type { BrokerSettings } from '../../../lib/brokers/settings.ts'
import { runExpressions } from '../../../lib/markets/schedule.ts'
import type { RedisMirrorSettings } from '../../../lib/mirrors/config.ts'
import type { MarketDays } from '../../../lib/model/market-days.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { AlarmTelling } from '../alarms/named-alarm.ts'
import { commandVariable, functionEnvironment, marketDaysVariable, settingsVariable } from '../environment.ts'
import type { ScheduledStarts } from '../scheduled-starts.ts'
import type { VaultKeys } from '../vault-keys.ts'
import { BrokerAlarms } from './alarms.ts'
import { BrokerFunction } from './function.ts'
import { brokerPermissions } from './permissions.ts'
import { BrokerSchedules } from './schedules.ts'

export interface BrokerRefresherProps {
  /** With the owner's settings in place of its defaults. */
  readonly broker: Broker
  /** Those settings, as its function gets them. */
  readonly settings: BrokerSettings
  /** What the owner has said of single days. */
  readonly marketDays: MarketDays
  readonly functionName: string
  readonly stackName: string
  /** First part of every parameter name, such as /stock-pipeline. */
  readonly parameterPrefix: string
  /** Says that the parameters are this stack's. */
  readonly owner: IParameter
  readonly table: Table
  readonly topic: ITopic
  /** Told of each published token. @default - programs are told of none */
  readonly eventsTopic?: ITopic | undefined
  readonly starts: ScheduledStarts
  readonly telling: AlarmTelling
  readonly metricsNamespace: string
  readonly logRetention: RetentionDays
  /** Hosts that may be spoken to over plain http. @default - none but loopback */
  readonly allowHttpHosts?: readonly string[]
  /** The keys its parameters lie under. */
  readonly vaultKeys: VaultKeys
  /** Gets a copy of each published access token. @default - tokens are nowhere but in SSM */
  readonly redis?: RedisMirrorSettings | undefined
  /** The login site's address, which alerts link to. @default - there is no site: alerts have no link */
  readonly siteUrl?: string | undefined
  /** How people call our command for this stack. */
  readonly command: string
}

/** Everything that keeps the tokens of one broker alive: function, role, log, schedules, alarm. */
export class BrokerRefresher extends Construct {
  readonly function: IFunction

  constructor(scope: Construct, id: string, props: BrokerRefresherProps) {
    super(scope, id)
    const { broker, settings } = props
    const { id: brokerId, displayName } = broker
    const { timeZone } = broker.schedule
    const { timeoutMinutes, memoryMb } = settings
    const { deadLetterQueue } = props.starts
    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${props.functionName}`,
      retention: props.logRetention,
      // Logs are no record (the state table is): kept ones would stand in the way of deploying again.
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `What the ${displayName} refresher may do`,
      inlinePolicies: {
        Refresh: brokerPermissions(this, {
          ...props,
          brokerId,
          logGroup,
          deadLetterQueue,
          signsLinks: props.siteUrl !== undefined,
          writesRedis: props.redis !== undefined,
        }),
      },
    })
    this.function = new BrokerFunction(this, 'Function', {
      ...props,
      brokerId,
      timeoutMinutes,
      memoryMb,
      role: role.withoutPolicyUpdates(),
      logGroup,
      deadLetterQueue,
      environment: environmentOf(props),
    })
    new BrokerSchedules(this, 'Schedules', {
      function: this.function,
      starts: props.starts,
      expressions: runExpressions(broker),
      timeZone,
    })
    new BrokerAlarms(this, 'Alarms', { ...props, brokerId, displayName })
    const below = `arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter${props.parameterPrefix}/${brokerId}/*`
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
  }
}

/** Accepts one cdk-nag finding of one resource, and says why. */
function acknowledge(resource: Construct, id: string, reason: string): void {
  Validations.of(resource).acknowledge({ id, reason })
}

/** The variables functions/runtime/environment.ts reads. */
function environmentOf(props: BrokerRefresherProps): Record<string, string> {
  return functionEnvironment(props.functionName, {
    TOKENKEEPER_STACK: props.stackName,
    TOKENKEEPER_PREFIX: props.parameterPrefix,
    TOKENKEEPER_TABLE: props.table.tableName,
    TOKENKEEPER_TOPIC_ARN: props.topic.topicArn,
    TOKENKEEPER_EVENTS_TOPIC_ARN: props.eventsTopic?.topicArn,
    TOKENKEEPER_REDIS_URL: props.redis?.url,
    TOKENKEEPER_REDIS_DEFAULT_ACCOUNTS: props.redis?.defaultAccounts.join(',') || undefined,
    TOKENKEEPER_KEY_ID: props.vaultKeys.present?.id,
    ...settingsVariable({ [props.broker.id]: props.settings }),
    ...marketDaysVariable(props.marketDays),
    TOKENKEEPER_SITE_URL: props.siteUrl,
    ...commandVariable(props.command),
    TOKENKEEPER_ALLOW_HTTP_HOSTS: props.allowHttpHosts?.join(',') || undefined,
    POWERTOOLS_METRICS_NAMESPACE: props.metricsNamespace,
  })
}
