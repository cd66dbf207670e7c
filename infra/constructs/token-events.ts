import { Topic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'

export interface TokenEventsProps {
  readonly topicName: string
}

/**
 * Where programs hear of each published token. The policy that enforces TLS replaces SNS' default one: who subscribes
 * or publishes is a matter of roles in this account alone.
 */
export class TokenEvents extends Construct {
  readonly topic: Topic

  constructor(scope: Construct, id: string, props: TokenEventsProps) {
    super(scope, id)
    this.topic = new Topic(this, 'Topic', { topicName: props.topicName, enforceSSL: true })
  }
}
