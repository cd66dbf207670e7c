import { Duration } from 'aws-cdk-lib'
import { ManagedPolicy, type Role } from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import { NamedAlarm } from '../alarms/named-alarm.ts'
import { acknowledgePublishedTokens, readPublishedTokens } from '../policy/published-tokens.ts'
import { partitionsOf, type WebProps, webFunction } from './web-function.ts'

/**
 * A policy has room for the parameters of about so many: 10,240 characters in a role, 6,144 in a policy of its own. Beyond
 * it they are in policies of their own, of which a role takes ten.
 */
const BROKERS_PER_POLICY = 6

/** Where API keys lie in the state table (lib/aws/dynamo/dynamo-api-keys.ts). */
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
      statements: props.brokers.length > BROKERS_PER_POLICY ? [] : readPublishedTokens(this, props),
    })
    this.#readTokens(role, props)
    props.api.restBy(handler)
    new NamedAlarm(this, 'ErrorsAlarm', {
      title: 'interface for programs fails',
      happened: 'The function of the interface for programs itself failed',
      toDo: 'read its log',
      metric: handler.metricErrors({ period: Duration.minutes(5) }),
      telling: props.telling,
    })
  }

  /** What is published of the brokers, where the role itself has no room for it. */
  #readTokens(role: Role, props: WebProps): void {
    const { brokers } = props
    if (brokers.length <= BROKERS_PER_POLICY) {
      acknowledgePublishedTokens(role, props)
      return
    }
    for (let first = 0; first < brokers.length; first += BROKERS_PER_POLICY) {
      const some = { ...props, brokers: brokers.slice(first, first + BROKERS_PER_POLICY) }
      const policy = new ManagedPolicy(this, `PublishedTokens${first / BROKERS_PER_POLICY + 1}`, {
        description: 'What is published of some brokers, for the interface for programs',
        statements: [...readPublishedTokens(this, some)],
        roles: [role],
      })
      acknowledgePublishedTokens(policy, some)
    }
  }
}
