import { dynamoDbClient, ssmClient } from '../../aws/clients.ts'
import { dynamoApiKeys } from '../../aws/dynamo/dynamo-api-keys.ts'
import { dynamoMarketDays } from '../../aws/dynamo/dynamo-market-days.ts'
import { dynamoStateStore } from '../../aws/dynamo/dynamo-state-store.ts'
import { lambdaLoginService } from '../../aws/lambda/lambda-login-service.ts'
import { snsEvents } from '../../aws/sns/sns-events.ts'
import { snsNotifier } from '../../aws/sns/sns-notifier.ts'
import { ssmTokenVault } from '../../aws/ssm-token-vault.ts'
import { withPresentDays } from '../../markets/present-days.ts'
import type { Notifier } from '../../ports/notifier.ts'
import type { Ports } from '../../ports/ports.ts'
import type { Subscriber } from '../../ports/subscriber.ts'
import { resourceNames } from '../../resource-names.ts'
import { type AwsFunctions, awsFunctions } from './aws-functions.ts'
import { awsRun } from './aws-run.ts'
import { ownKey } from './own-key.ts'
import type { Backend, Setting } from './setting.ts'

type Common = Pick<Ports, 'http' | 'clock' | 'hosts' | 'allowHttpHosts' | 'telemetry'>

/** The deployed stack: secrets and states are read and written in place, runs are left to its functions. */
export function awsBackend(setting: Setting, common: Common): Backend {
  const { stackName, prefix, customerManagedKey, keyArn } = setting.config
  const names = resourceNames(stackName)
  const functions = awsFunctions(stackName)
  const ssm = ssmClient()
  const dynamoDb = dynamoDbClient()
  const marketDays = dynamoMarketDays({ client: dynamoDb, table: names.table })
  const ports: Ports = {
    ...common,
    vault: ssmTokenVault({
      client: ssm,
      prefix,
      stackName,
      clock: common.clock,
      keyId: keyArn ?? (customerManagedKey ? ownKey(setting.config, setting.brokers, functions) : undefined),
    }),
    states: withPresentDays(
      dynamoStateStore({ client: dynamoDb, table: names.table }),
      setting.days,
      marketDays,
      common,
    ),
    notifier: stackNotifier(functions),
    ...(setting.config.events && { subscribers: [stackEvents(functions)] }),
  }
  return {
    ports,
    run: (order) => awsRun(order, functions, ports),
    apiKeys: dynamoApiKeys({ client: dynamoDb, table: names.table }),
    marketDays,
    logins: lambdaLoginService({ functionOf: names.function }),
    siteUrl: async () => {
      const { enabled, url } = setting.config.site
      if (!enabled) return undefined
      return url === undefined ? functions.siteUrl() : new URL(url).origin
    },
    async close() {
      ssm.destroy()
      dynamoDb.destroy()
      functions.close()
    },
  }
}

/** A topic's address holds the AWS account, which only the stack's functions tell us. */
function stackNotifier(functions: AwsFunctions): Notifier {
  return {
    async notify(alert) {
      const { topicArn } = await functions.describe(alert.broker)
      await snsNotifier({ topicArn }).notify(alert)
    },
  }
}

/** A token that the command line publishes itself (`put`) is told of like one that a function publishes. */
function stackEvents(functions: AwsFunctions): Subscriber {
  return {
    name: 'topic of events',
    async onPublished(publication) {
      const { eventsTopicArn } = await functions.describe(publication.broker)
      // A stack that was deployed without events has nobody who waits for one.
      if (eventsTopicArn !== '') await snsEvents({ topicArn: eventsTopicArn }).onPublished(publication)
    },
    async onWithdrawn() {},
  }
}
