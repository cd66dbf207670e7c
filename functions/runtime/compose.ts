import type { SNSClient } from '@aws-sdk/client-sns'
import { dynamoDbClient, snsClient, ssmClient } from '../../lib/aws/clients.ts'
import { dynamoMarketDays } from '../../lib/aws/dynamo/dynamo-market-days.ts'
import { dynamoScheduledRuns } from '../../lib/aws/dynamo/dynamo-scheduled-runs.ts'
import { dynamoStateStore } from '../../lib/aws/dynamo/dynamo-state-store.ts'
import { lambdaFollowUp } from '../../lib/aws/lambda/lambda-follow-up.ts'
import { snsEvents } from '../../lib/aws/sns/sns-events.ts'
import { snsNotifier } from '../../lib/aws/sns/sns-notifier.ts'
import { ssmTokenVault } from '../../lib/aws/ssm-token-vault.ts'
import { httpOnDemand } from '../../lib/http/http-on-demand.ts'
import { withPresentDays } from '../../lib/markets/present-days.ts'
import type { RedisMirrorOptions } from '../../lib/mirrors/redis/mirror.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import type { Clock } from '../../lib/ports/clock.ts'
import type { LoginLinks } from '../../lib/ports/login-links.ts'
import type { Subscriber } from '../../lib/ports/subscriber.ts'
import type { TokenVault } from '../../lib/ports/token-vault.ts'
import type { LoginLinksOptions } from '../../lib/site/login-links.ts'
import { systemClock } from '../../lib/system-clock.ts'
import type { Compose } from './composition.ts'
import { type FunctionEnvironment, readEnvironment } from './environment.ts'
import { stackWords } from './stack-words.ts'

/** Puts the adapters on AWS together as the environment says. Throws ConfigurationError. */
export const composeFromEnvironment: Compose = (broker, telemetry) => {
  const environment = readEnvironment(broker)
  const { prefix, table, topicArn, functionName, siteUrl, hosts, allowHttpHosts, days } = environment
  const { keyId, stackName } = environment
  const clock = systemClock
  const stored = { client: dynamoDbClient(), table }
  const vault = ssmTokenVault({ client: ssmClient(), prefix, clock, keyId, stackName })
  const sns = once(snsClient)
  return {
    broker: environment.broker,
    ports: {
      vault,
      states: withPresentDays(dynamoStateStore(stored), days, dynamoMarketDays(stored), { clock, telemetry }),
      notifier: snsNotifier({ topicArn, client: sns, words: stackWords() }),
      subscribers: subscribersOf(broker, environment, sns, vault, clock),
      telemetry,
      http: httpOnDemand(),
      clock,
      ...(siteUrl !== undefined && { links: linksOnDemand(vault, { siteUrl, clock }) }),
      hosts,
      allowHttpHosts,
    },
    followUp: lambdaFollowUp({ functionName }),
    scheduledRuns: dynamoScheduledRuns(stored.client, table),
  }
}

/** Makes one client for both alerts and events, since a day's login sends both. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}

/**
 * The subscribers of published tokens: the topic of events where the stack has one, a Redis where one is
 * configured.
 */
function subscribersOf(
  broker: Broker,
  { eventsTopicArn, redis }: FunctionEnvironment,
  sns: () => Promise<SNSClient>,
  vault: TokenVault,
  clock: Clock,
): readonly Subscriber[] {
  return [
    ...(eventsTopicArn === undefined ? [] : [snsEvents({ topicArn: eventsTopicArn, client: sns })]),
    ...(redis ? [redisOnDemand(vault, { ...redis, brokers: [broker], clock })] : []),
  ]
}

/** A Redis mirror that is loaded only when there is something to tell it. */
function redisOnDemand(vault: TokenVault, options: Omit<RedisMirrorOptions, 'password'>): Subscriber {
  let loading: Promise<Subscriber> | undefined
  const mirror = (): Promise<Subscriber> => {
    loading ??= import('./on-demand.ts').then(({ storedRedisMirror }) =>
      storedRedisMirror({ ...options, vault }),
    )
    return loading
  }
  return {
    name: 'Redis mirror',
    onPublished: async (publication) => (await mirror()).onPublished(publication),
    onStillCurrent: async (publication) => (await mirror()).onStillCurrent?.(publication),
    onWithdrawn: async (account) => (await mirror()).onWithdrawn(account),
  }
}

/**
 * Links for messages. The code that signs, and its key, are loaded at the first alert, since most runs send
 * none.
 */
function linksOnDemand(vault: TokenVault, options: Omit<LoginLinksOptions, 'keys'>): LoginLinks {
  let loading: Promise<LoginLinks> | undefined
  return {
    async forIncident(account, incident) {
      loading ??= import('./on-demand.ts').then(({ storedSigningKeys, loginLinks }) =>
        loginLinks({ ...options, keys: storedSigningKeys(vault, options.clock) }),
      )
      return (await loading).forIncident(account, incident)
    },
  }
}
