import { Duration } from 'aws-cdk-lib'
import { Construct } from 'constructs'
import { NamedAlarm } from '../alarms/named-alarm.ts'
import { acknowledgePublishedTokens, readPublishedTokens } from '../policy/published-tokens.ts'
import { partitionsOf, type WebProps, webFunction } from './web-function.ts'

/** Where API keys lie in the state table (lib/aws/dynamo-api-keys.ts). */
const KEYS_PARTITION = 'keys'

/**
 * The interface for programs behind the API, with a role of its own: it hands tokens out to who has a key, so it may read
 * what is published, and no credential.
 */
export class Rest extends Construct {
  constructor(scope: Construct, id: string, props: WebProps) {
    super(scope, id)
    const { handler, role } = webFunction(this, props, {
      entry: 'rest.ts',
      description: 'The interface for programs that use tokens',
      roleDescription: 'What the interface for programs may do',
      partitions: [...partitionsOf(props.brokers), KEYS_PARTITION],
      statements: readPublishedTokens(this, props),
    })
    acknowledgePublishedTokens(role, props)
    props.api.restBy(handler)
    new NamedAlarm(this, 'ErrorsAlarm', {
      title: 'interface for programs fails',
      happened: 'The function of the interface for programs itself failed',
      toDo: 'read its log',
      metric: handler.metricErrors({ period: Duration.minutes(5) }),
      telling: props.telling,
    })
  }
}
