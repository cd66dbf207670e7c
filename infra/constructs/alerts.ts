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

  constructor(scope: Construct, id: string, props: AlertsProps) {
    super(scope, id)
    this.topic = new Topic(this, 'Topic', {
      topicName: props.topicName,
      // Who a mail is from, as mail programs show it; without one it is "AWS Notifications".
      displayName: props.topicName.replaceAll('-', ' '),
      enforceSSL: true,
    })
    for (const email of props.emails ?? []) this.topic.addSubscription(new EmailSubscription(email))
  }
}
