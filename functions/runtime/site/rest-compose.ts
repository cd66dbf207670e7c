import { dynamoDbClient, ssmClient } from '../../../lib/aws/clients.ts'
import { dynamoApiKeys } from '../../../lib/aws/dynamo/dynamo-api-keys.ts'
import { dynamoMarketDays } from '../../../lib/aws/dynamo/dynamo-market-days.ts'
import { dynamoStateStore } from '../../../lib/aws/dynamo/dynamo-state-store.ts'
import { lambdaTokenService } from '../../../lib/aws/lambda/lambda-token-service.ts'
import { ssmTokenVault } from '../../../lib/aws/ssm-token-vault.ts'
import { withPresentDays } from '../../../lib/markets/present-days.ts'
import { resourceNames } from '../../../lib/resource-names.ts'
import { systemClock } from '../../../lib/system-clock.ts'
import { siteApp } from '../../../lib/web/app.ts'
import { stackWords } from '../stack-words.ts'
import type { ComposeSite } from './site-composition.ts'
import { readSiteEnvironment } from './site-environment.ts'

/**
 * The interface for programs on AWS, wired as the environment says. It reads state records, API keys and what is published;
 * what needs another secret is left to the broker's function. Throws ConfigurationError.
 */
export const composeRestFromEnvironment: ComposeSite = (telemetry) => {
  const { prefix, table, stackName, brokers, hosts, days } = readSiteEnvironment()
  const names = resourceNames(stackName)
  const clock = systemClock
  const vault = ssmTokenVault({ client: ssmClient(), prefix, clock })
  const dynamoDb = dynamoDbClient()
  const states = withPresentDays(
    dynamoStateStore({ client: dynamoDb, table }),
    days,
    dynamoMarketDays({ client: dynamoDb, table }),
    { clock, telemetry },
  )
  const app = siteApp({
    brokers,
    ports: { states, clock, telemetry, hosts },
    timeZone: brokers[0]?.session.timeZone ?? 'UTC',
    words: stackWords(),
    // The whole internet may call.
    rest: {
      access: 'keys',
      keys: dynamoApiKeys({ client: dynamoDb, table }),
      tokens: lambdaTokenService({ brokers, functionOf: names.function, vault, states, clock }),
    },
  })
  return { app, clock }
}
