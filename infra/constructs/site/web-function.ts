import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import {
  Architecture,
  type IFunction,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import type { BrokerSettings } from '../../../lib/brokers/settings.ts'
import type { MarketDays } from '../../../lib/model/market-days.ts'
import type { AlarmTelling } from '../alarms/named-alarm.ts'
import { bundledCode } from '../bundle/bundle.ts'
import { commandVariable, functionEnvironment, marketDaysVariable, settingsVariable } from '../environment.ts'
import type { PublishingBroker } from '../policy/published-tokens.ts'
import type { VaultKeys } from '../vault-keys.ts'
import type { SiteApi } from './site-api.ts'

/** API Gateway's patience ends at about the same moment. */
const TIMEOUT_SECONDS = 29
/** A person waits for a cold start; half a gigabyte has it over in half the time of a broker's function. */
const MEMORY_MB = 512

/** What the functions behind the API have in common. */
export interface WebProps {
  readonly functionName: string
  /** Requests worked on at the same time. @default - as many as the AWS account has room for */
  readonly reservedConcurrency?: number | undefined
  readonly stackName: string
  readonly api: SiteApi
  /** Its address, as links have it. */
  readonly siteUrl: string
  /** First part of every parameter name, such as /stock-pipeline. */
  readonly parameterPrefix: string
  readonly table: Table
  /** What the owner has said of single days. */
  readonly marketDays: MarketDays
  /** Those whose accounts are shown. */
  readonly brokers: readonly SiteBroker[]
  readonly telling: AlarmTelling
  readonly logRetention: RetentionDays
  /** Hosts that may be spoken to over plain http. @default - none but loopback */
  readonly allowHttpHosts?: readonly string[]
  /** The keys its parameters lie under. */
  readonly vaultKeys: VaultKeys
  /** How people call our command for this stack. */
  readonly command: string
}

export interface SiteBroker extends PublishingBroker {
  /** What logins and renewals are left to: it alone may read the broker's credentials. */
  readonly function: IFunction
  /** What the owner has set for all its accounts. */
  readonly settings: BrokerSettings
}

interface Particulars {
  /** The file in functions/. */
  readonly entry: string
  readonly description: string
  /** What the role is for. */
  readonly roleDescription: string
  /** Partitions of the state table that it may read. */
  readonly partitions: readonly string[]
  /** What else it may do. */
  readonly statements: readonly PolicyStatement[]
}

/**
 * Function, role and log of what answers requests. It may read state records of its brokers, invoke their functions, and
 * what `statements` say.
 */
export function webFunction(
  scope: Construct,
  props: WebProps,
  { entry, description, roleDescription, partitions, statements }: Particulars,
): { readonly handler: LambdaFunction; readonly role: Role } {
  const logGroup = new LogGroup(scope, 'Log', {
    logGroupName: `/aws/lambda/${props.functionName}`,
    retention: props.logRetention,
    removalPolicy: RemovalPolicy.DESTROY,
  })
  const common = [
    new PolicyStatement({
      sid: 'ReadState',
      actions: ['dynamodb:GetItem', 'dynamodb:Query'],
      resources: [props.table.tableArn],
      conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [...partitions] } },
    }),
    new PolicyStatement({
      sid: 'LeaveWorkToTheBrokers',
      actions: ['lambda:InvokeFunction'],
      resources: props.brokers.map((broker) => broker.function.functionArn),
    }),
    new PolicyStatement({
      sid: 'OwnLog',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    }),
  ]
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: roleDescription,
    inlinePolicies: { Site: new PolicyDocument({ statements: [...common, ...statements] }) },
  })
  const handler = new LambdaFunction(scope, 'Function', {
    functionName: props.functionName,
    description,
    code: bundledCode(entry),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    role: role.withoutPolicyUpdates(),
    memorySize: MEMORY_MB,
    ...(props.reservedConcurrency !== undefined && {
      reservedConcurrentExecutions: props.reservedConcurrency,
    }),
    timeout: Duration.seconds(TIMEOUT_SECONDS),
    environment: environmentOf(props),
    logGroup,
    loggingFormat: LoggingFormat.JSON,
  })
  return { handler, role }
}

/** What the owner says of trading days (lib/aws/dynamo/dynamo-market-days.ts). */
const MARKET_DAYS_PARTITION = 'markets'

/** Where the state records of these brokers lie, and what is said of trading days. */
export function partitionsOf(brokers: readonly SiteBroker[]): readonly string[] {
  return [...brokers.map(({ brokerId }) => `broker#${brokerId}`), MARKET_DAYS_PARTITION]
}

/** The variables functions/runtime/site/site-environment.ts reads. */
function environmentOf(props: WebProps): Record<string, string> {
  const {
    functionName,
    siteUrl,
    stackName,
    parameterPrefix,
    table,
    brokers,
    allowHttpHosts,
    command,
    marketDays,
  } = props
  const settings = Object.fromEntries(brokers.map(({ brokerId, settings }) => [brokerId, settings]))
  return functionEnvironment(functionName, {
    TOKENKEEPER_SITE_URL: siteUrl,
    TOKENKEEPER_STACK: stackName,
    TOKENKEEPER_PREFIX: parameterPrefix,
    TOKENKEEPER_TABLE: table.tableName,
    ...settingsVariable(settings),
    ...marketDaysVariable(marketDays),
    TOKENKEEPER_ALLOW_HTTP_HOSTS: allowHttpHosts?.join(',') || undefined,
    ...commandVariable(command),
  })
}
