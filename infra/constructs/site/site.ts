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
import { type ILogGroup, LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { BrokerSettings } from '../../../lib/brokers/settings.ts'
import { type AlarmTelling, NamedAlarm } from '../alarms/named-alarm.ts'
import { bundledCode } from '../bundle/bundle.ts'
import { commandVariable, functionEnvironment, settingsVariable } from '../environment.ts'
import { readOwnParameter } from '../policy/own-parameters.ts'
import {
  acknowledgePublishedTokens,
  type PublishingBroker,
  readPublishedTokens,
} from '../policy/published-tokens.ts'
import type { VaultKeys } from '../vault-keys.ts'
import type { SiteApi } from './site-api.ts'

/** API Gateway's patience ends at about the same moment. */
const TIMEOUT_SECONDS = 29
/** In five minutes. */
const MANY_SERVER_ERRORS = 10
/** A person waits for a cold start; half a gigabyte has it over in half the time of a broker's function. */
const MEMORY_MB = 512

export interface SiteProps {
  readonly functionName: string
  readonly stackName: string
  readonly api: SiteApi
  /** Its address, as links have it. */
  readonly siteUrl: string
  /** First part of every parameter name, such as /stock-pipeline. */
  readonly parameterPrefix: string
  readonly table: Table
  /** Those whose accounts the pages show. */
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

/**
 * The login page and the REST interface behind the API: function, role, log, alarms. It can read what is published and
 * the key of its own links, and no credential.
 */
export class Site extends Construct {
  readonly #props: SiteProps

  constructor(scope: Construct, id: string, props: SiteProps) {
    super(scope, id)
    this.#props = props
    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${props.functionName}`,
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: 'What the login site may do',
      inlinePolicies: { Site: this.#permissions(logGroup) },
    })
    acknowledgePublishedTokens(role, props)
    const handler = new LambdaFunction(this, 'Function', {
      functionName: props.functionName,
      description: 'The page where people log in at their brokers',
      code: bundledCode('site.ts'),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role: role.withoutPolicyUpdates(),
      memorySize: MEMORY_MB,
      timeout: Duration.seconds(TIMEOUT_SECONDS),
      environment: this.#environment(),
      logGroup,
      loggingFormat: LoggingFormat.JSON,
    })
    props.api.answeredBy(handler)
    // At the first occurrence: a login page that fails is found by a person in a hurry.
    new NamedAlarm(this, 'ErrorsAlarm', {
      title: 'login site fails',
      happened: 'The function of the login site itself failed',
      toDo: 'read its log',
      metric: handler.metricErrors({ period: Duration.minutes(5) }),
      telling: props.telling,
    })
    new NamedAlarm(this, 'ServerErrorsAlarm', {
      title: 'login site answers with errors',
      happened: 'The login site answered with many errors',
      toDo: 'read the log of its function and of its API',
      metric: props.api.api.metricServerError({ period: Duration.minutes(5) }),
      // A broker that is away for a moment is a 503 to a program, which tries again: nobody is called for that.
      threshold: MANY_SERVER_ERRORS,
      telling: props.telling,
    })
  }

  /** State to read, its own key, what is published, its own log; the brokers' functions for whatever needs a credential. */
  #permissions(logGroup: ILogGroup): PolicyDocument {
    const { table, brokers } = this.#props
    return new PolicyDocument({
      statements: [
        new PolicyStatement({
          sid: 'ReadState',
          actions: ['dynamodb:GetItem', 'dynamodb:Query'],
          resources: [table.tableArn],
        }),
        ...readOwnParameter(this, 'SigningKey', this.#props),
        ...readPublishedTokens(this, this.#props),
        new PolicyStatement({
          sid: 'LeaveWorkToTheBrokers',
          actions: ['lambda:InvokeFunction'],
          resources: brokers.map((broker) => broker.function.functionArn),
        }),
        new PolicyStatement({
          sid: 'OwnLog',
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resources: [logGroup.logGroupArn],
        }),
      ],
    })
  }

  /** The variables functions/runtime/site/site-environment.ts reads. */
  #environment(): Record<string, string> {
    const { functionName, siteUrl, stackName, parameterPrefix, table, brokers, allowHttpHosts, command } =
      this.#props
    const settings = Object.fromEntries(brokers.map(({ brokerId, settings }) => [brokerId, settings]))
    return functionEnvironment(functionName, {
      TOKENKEEPER_SITE_URL: siteUrl,
      TOKENKEEPER_STACK: stackName,
      TOKENKEEPER_PREFIX: parameterPrefix,
      TOKENKEEPER_TABLE: table.tableName,
      ...settingsVariable(settings),
      TOKENKEEPER_ALLOW_HTTP_HOSTS: allowHttpHosts?.join(',') || undefined,
      ...commandVariable(command),
    })
  }
}
