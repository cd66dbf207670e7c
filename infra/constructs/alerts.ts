import { ArnFormat, Stack } from 'aws-cdk-lib'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'

export interface AlertsProps {
  readonly topicName: string
  /**
   * Addresses that get every alert as a mail; each must confirm its subscription once.
   *
   * @default - nobody is subscribed; alerts can be fetched by any later subscriber of the topic
   */
  readonly emails?: readonly string[]
}

/** Where people are told what only they can mend: one topic for the runs' alerts and the alarms. */
export class Alerts extends Construct {
  readonly topic: Topic
  /** What an alarm does when it goes off. */
  readonly action: SnsAction

  constructor(scope: Construct, id: string, props: AlertsProps) {
    super(scope, id)
    this.topic = new Topic(this, 'Topic', {
      topicName: props.topicName,
      // Who a mail is from, as mail programs show it; without one it is "AWS Notifications".
      displayName: props.topicName.replaceAll('-', ' '),
      enforceSSL: true,
    })
    // The policy that enforces TLS replaces SNS' default one, which would have let the account's alarms in.
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnLike: { 'aws:SourceArn': this.#everyAlarm() },
        },
      }),
    )
    for (const email of props.emails ?? []) this.topic.addSubscription(new EmailSubscription(email))
    this.action = new SnsAction(this.topic)
  }

  #everyAlarm(): string {
    return Stack.of(this).formatArn({
      service: 'cloudwatch',
      resource: 'alarm',
      resourceName: '*',
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    })
  }
}
