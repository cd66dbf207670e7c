import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, Function as LambdaFunction, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Topic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { bundledCode } from '../bundle/bundle.ts'
import { commandVariable } from '../environment.ts'
import { NamedAlarm } from './named-alarm.ts'

export interface AlarmTellerProps {
  readonly functionName: string
  readonly stackName: string
  /** Where people are told. */
  readonly topic: Topic
  readonly logRetention: RetentionDays
  /** How people call our command for this stack. */
  readonly command: string
}

/**
 * Tells people of alarms. CloudWatch can publish to a topic itself, but sets no message attributes, and a subscriber with
 * a filter policy would never hear it; so every alarm calls this function, which publishes as the runs do. An EventBridge
 * rule would do no more: its targets set no attributes either, and the function would be needed all the same.
 */
export class AlarmTeller extends Construct {
  /** What an alarm does when it goes off, and when it is over. */
  readonly action: IAlarmAction

  constructor(scope: Construct, id: string, props: AlarmTellerProps) {
    super(scope, id)
    const { functionName, stackName, topic, logRetention, command } = props
    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: 'What the function that tells of alarms may do',
      inlinePolicies: {
        Tell: new PolicyDocument({
          statements: [
            new PolicyStatement({ sid: 'TellPeople', actions: ['sns:Publish'], resources: [topic.topicArn] }),
            new PolicyStatement({
              sid: 'LogOfTheAlarms',
              actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              resources: [logGroup.logGroupArn],
            }),
          ],
        }),
      },
    })
    const handler = new LambdaFunction(this, 'Function', {
      functionName,
      description: 'Tells people of alarms',
      code: bundledCode('alarms.ts'),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role: role.withoutPolicyUpdates(),
      memorySize: 256,
      timeout: Duration.minutes(1),
      environment: { TOKENKEEPER_TOPIC_ARN: topic.topicArn, ...commandVariable(command) },
      logGroup,
      loggingFormat: LoggingFormat.JSON,
    })
    handler.addPermission('Alarms', {
      principal: new ServicePrincipal('lambda.alarms.cloudwatch.amazonaws.com'),
      sourceAccount: Stack.of(this).account,
      sourceArn: this.#everyAlarm(stackName),
    })
    // One permission for all of them: CDK's own LambdaAction makes one for each.
    this.action = { bind: () => ({ alarmActionArn: handler.functionArn }) }
    this.#watchItself(handler, props)
  }

  /** The one alarm that cannot go this way goes straight to the topic, to whoever has no filter policy. */
  #watchItself(handler: LambdaFunction, { stackName, topic }: AlarmTellerProps): void {
    new NamedAlarm(this, 'Errors', {
      title: 'cannot tell people of alarms',
      happened: 'An alarm went off and the function that tells people of alarms failed',
      toDo: 'look at the alarms in CloudWatch, and read the log of the function',
      metric: handler.metricErrors({ period: Duration.minutes(5) }),
      telling: { stackName, action: new SnsAction(topic) },
    })
    // The policy that enforces TLS replaces SNS' default one, which would have let the account's alarms in.
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisStack',
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnLike: { 'aws:SourceArn': this.#everyAlarm(stackName) },
        },
      }),
    )
  }

  /** By the beginning of their names. The blank behind it is left out, in whatever form it is compared. */
  #everyAlarm(stackName: string): string {
    return Stack.of(this).formatArn({
      service: 'cloudwatch',
      resource: 'alarm',
      resourceName: `${stackName}*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    })
  }
}
