import { Duration } from 'aws-cdk-lib'
import type { IRole } from 'aws-cdk-lib/aws-iam'
import {
  Architecture,
  Function as LambdaFunction,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
} from 'aws-cdk-lib/aws-lambda'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import { bundledCode } from '../bundle/bundle.ts'

export interface BrokerFunctionProps {
  readonly brokerId: string
  readonly functionName: string
  readonly role: IRole
  readonly logGroup: ILogGroup
  /** Gets what an asynchronous invocation could not do. */
  readonly deadLetterQueue: IQueue
  readonly timeoutMinutes: number
  readonly memoryMb: number
  readonly environment: Readonly<Record<string, string>>
}

/** The Lambda function of one broker: functions/<broker>.ts, bundled. */
export class BrokerFunction extends LambdaFunction {
  constructor(scope: Construct, id: string, props: BrokerFunctionProps) {
    super(scope, id, {
      functionName: props.functionName,
      description: `Keeps the access tokens of ${props.brokerId} alive`,
      code: bundledCode(`${props.brokerId}.ts`),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role: props.role,
      memorySize: props.memoryMb,
      timeout: Duration.minutes(props.timeoutMinutes),
      environment: { ...props.environment },
      logGroup: props.logGroup,
      loggingFormat: LoggingFormat.JSON,
      // A function only throws when its world is broken. Lambda's repeat a minute later would meet the same world
      // and could cost a login attempt; the next schedule is the repeat. Throttled events are still repeated.
      retryAttempts: 0,
      maxEventAge: Duration.hours(1),
      onFailure: new SqsDestination(props.deadLetterQueue),
      // A run that does not fit into one invocation hands the rest to the next: a chain Lambda would cut after 16.
      // The function itself stops it after 100.
      recursiveLoop: RecursiveLoop.ALLOW,
    })
  }
}
