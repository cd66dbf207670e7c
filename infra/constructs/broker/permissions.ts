import { ArnFormat, Stack } from 'aws-cdk-lib'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import { PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { IParameter } from 'aws-cdk-lib/aws-ssm'
import type { Construct } from 'constructs'
import { readOwnParameter } from '../policy/own-parameters.ts'
import { runsPartitionOf } from '../policy/runs-partition.ts'
import type { VaultKeys } from '../vault-keys.ts'

export interface BrokerPermissionsProps {
  readonly brokerId: string
  readonly functionName: string
  /** First part of every parameter name, such as /stock-pipeline. */
  readonly parameterPrefix: string
  /** Says that the parameters are this stack's. */
  readonly owner: IParameter
  readonly table: Table
  readonly topic: ITopic
  /** Told of each published token. @default - the stack has no events */
  readonly eventsTopic?: ITopic | undefined
  readonly logGroup: ILogGroup
  readonly deadLetterQueue: IQueue
  /** The keys its parameters lie under. */
  readonly vaultKeys: VaultKeys
  /** Whether its messages link to the login site, with its signature. */
  readonly signsLinks: boolean
  /** Whether it mirrors what it publishes to a Redis, which may have a password. */
  readonly writesRedis: boolean
}

/** The ARN under which all parameters of a broker's accounts lie, and no other broker's. */
function parametersArn(scope: Construct, parameterPrefix: string, brokerId: string): string {
  const resourceName = `${parameterPrefix.slice(1)}/${brokerId}/*`
  return Stack.of(scope).formatArn({ service: 'ssm', resource: 'parameter', resourceName })
}

/** The partition key of lib/aws/dynamo/dynamo-market-days.ts. */
const MARKET_DAYS_PARTITION = 'markets'

/** The partition key lib/aws/dynamo/dynamo-state-store.ts keeps a broker's accounts under. */
function partitionOf(brokerId: string): string {
  return `broker#${brokerId}`
}

/**
 * What the function of one broker may do: its own parameters, state and log, the common topics, itself, the key of the
 * links and the password of the mirror.
 */
export function brokerPermissions(scope: Construct, props: BrokerPermissionsProps): PolicyDocument {
  const stack = Stack.of(scope)
  const parameters = parametersArn(scope, props.parameterPrefix, props.brokerId)
  const statements = [
    new PolicyStatement({
      sid: 'OwnParameters',
      actions: ['ssm:GetParameters', 'ssm:PutParameter'],
      resources: [parameters],
    }),
    // Whose the parameters are: another stack's are left alone.
    new PolicyStatement({
      sid: 'PrefixOwner',
      actions: ['ssm:GetParameters'],
      resources: [props.owner.parameterArn],
    }),
    // A token that was kept until it could be proven goes once it is published; nothing else is ever deleted here.
    new PolicyStatement({
      sid: 'RemovePending',
      actions: ['ssm:DeleteParameter'],
      resources: [parameters.replace(/\*$/, 'pending'), parameters.replace(/\*$/, '*/pending')],
    }),
    new PolicyStatement({
      sid: 'OwnState',
      actions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
      resources: [props.table.tableArn],
      conditions: {
        'ForAllValues:StringEquals': {
          'dynamodb:LeadingKeys': [partitionOf(props.brokerId), runsPartitionOf(props.brokerId)],
        },
      },
    }),
    // What the owner says of trading days is of no broker; read it may all of them, change it none.
    new PolicyStatement({
      sid: 'TradingDays',
      actions: ['dynamodb:GetItem'],
      resources: [props.table.tableArn],
      conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [MARKET_DAYS_PARTITION] } },
    }),
    new PolicyStatement({ sid: 'TellPeople', actions: ['sns:Publish'], resources: [props.topic.topicArn] }),
    new PolicyStatement({
      sid: 'HandOverToItself',
      actions: ['lambda:InvokeFunction'],
      // By name: a reference to the function would make role and function wait for each other.
      resources: [
        stack.formatArn({
          service: 'lambda',
          resource: 'function',
          resourceName: props.functionName,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ],
    }),
    new PolicyStatement({
      sid: 'OwnLog',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [props.logGroup.logGroupArn],
    }),
    new PolicyStatement({
      sid: 'LeaveWhatFailed',
      actions: ['sqs:SendMessage'],
      resources: [props.deadLetterQueue.queueArn],
    }),
  ]
  if (props.eventsTopic) {
    statements.push(
      new PolicyStatement({
        sid: 'TellPrograms',
        actions: ['sns:Publish'],
        resources: [props.eventsTopic.topicArn],
      }),
    )
  }
  if (props.signsLinks) statements.push(...readOwnParameter(scope, 'SigningKey', props))
  if (props.writesRedis) statements.push(...readOwnParameter(scope, 'RedisPassword', props))
  const { present, previousArns } = props.vaultKeys
  const conditions = {
    StringEquals: { 'kms:ViaService': `ssm.${stack.region}.amazonaws.com` },
    StringLike: { 'kms:EncryptionContext:PARAMETER_ARN': parameters },
  }
  if (present) {
    statements.push(
      new PolicyStatement({
        sid: 'OwnParametersKey',
        // Encrypt for standard parameters, GenerateDataKey for advanced ones (more than 4096 bytes).
        actions: ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey'],
        resources: [present.arn],
        conditions,
      }),
    )
  }
  if (previousArns.length > 0) {
    statements.push(
      new PolicyStatement({
        sid: 'OwnParametersEarlierKeys',
        actions: ['kms:Decrypt'],
        resources: [...previousArns],
        conditions,
      }),
    )
  }
  return new PolicyDocument({ statements })
}
