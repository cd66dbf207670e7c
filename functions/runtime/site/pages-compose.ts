import { dynamoDbClient, ssmClient } from '../../../lib/aws/clients.ts'
import { dynamoMarketDays } from '../../../lib/aws/dynamo/dynamo-market-days.ts'
import { dynamoStateStore } from '../../../lib/aws/dynamo/dynamo-state-store.ts'
import { lambdaLoginService } from '../../../lib/aws/lambda/lambda-login-service.ts'
import { lambdaRefresh } from '../../../lib/aws/lambda/lambda-refresh.ts'
import { ssmTokenVault } from '../../../lib/aws/ssm-token-vault.ts'
import { withPresentDays } from '../../../lib/markets/present-days.ts'
import { resourceNames } from '../../../lib/resource-names.ts'
import { storedSigningKeys } from '../../../lib/site/signing-keys.ts'
import { systemClock } from '../../../lib/system-clock.ts'
import { pagesApp } from '../../../lib/web/pages.ts'
import { stackWords } from '../stack-words.ts'
import type { ComposeSite } from './site-composition.ts'
import { readSiteEnvironment } from './site-environment.ts'

/**
 * The pages on AWS, wired as the environment says. This function reads state records and the key of its own links; every
 * step of a login is left to the broker's function, and there is no way from here to a token. Throws ConfigurationError.
 */
export const composePagesFromEnvironment: ComposeSite = (telemetry) => {
  const { prefix, table, stackName, siteUrl, brokers, hosts, days } = readSiteEnvironment()
  const names = resourceNames(stackName)
  const clock = systemClock
  const vault = ssmTokenVault({ client: ssmClient(), prefix, clock })
  const stored = { client: dynamoDbClient(), table }
  const states = withPresentDays(dynamoStateStore(stored), days, dynamoMarketDays(stored), {
    clock,
    telemetry,
  })
  const app = pagesApp({
    brokers,
    ports: { states, clock, telemetry, hosts },
    words: stackWords(),
    tokens: lambdaRefresh({ functionOf: names.function }),
    login: {
      siteUrl,
      open: false,
      logins: lambdaLoginService({ functionOf: names.function }),
      keys: storedSigningKeys(vault, clock),
    },
  })
  return { app, clock }
}
