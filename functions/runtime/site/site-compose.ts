import { dynamoDbClient, ssmClient } from '../../../lib/aws/clients.ts'
import { dynamoApiKeys } from '../../../lib/aws/dynamo-api-keys.ts'
import { dynamoStateStore } from '../../../lib/aws/dynamo-state-store.ts'
import { lambdaLoginService } from '../../../lib/aws/lambda-login-service.ts'
import { lambdaTokenService } from '../../../lib/aws/lambda-token-service.ts'
import { ssmTokenVault } from '../../../lib/aws/ssm-token-vault.ts'
import type { Clock } from '../../../lib/ports/clock.ts'
import type { Telemetry } from '../../../lib/ports/telemetry.ts'
import { resourceNames } from '../../../lib/resource-names.ts'
import { storedSigningKeys } from '../../../lib/site/signing-keys.ts'
import { systemClock } from '../../../lib/system-clock.ts'
import { siteApp } from '../../../lib/web/app.ts'
import { stackWords } from '../stack-words.ts'
import { readSiteEnvironment } from './site-environment.ts'

/** The app that answers requests, and the clock by which they are measured. */
export interface SiteComposition {
  readonly app: ReturnType<typeof siteApp>
  readonly clock: Clock
}

export type ComposeSite = (telemetry: Pick<Telemetry, 'info' | 'error'>) => SiteComposition

/**
 * Puts the site on AWS together as the environment says. It reads records, its own key and published tokens;
 * work that needs another secret is left to the broker's function. Throws ConfigurationError.
 */
export const composeSiteFromEnvironment: ComposeSite = (telemetry) => {
  const { prefix, table, stackName, siteUrl, brokers, hosts } = readSiteEnvironment()
  const names = resourceNames(stackName)
  const clock = systemClock
  const vault = ssmTokenVault({ client: ssmClient(), prefix, clock })
  const dynamoDb = dynamoDbClient()
  const states = dynamoStateStore({ client: dynamoDb, table })
  const app = siteApp({
    brokers,
    ports: { states, clock, telemetry, hosts },
    timeZone: brokers[0]?.session.timeZone ?? 'UTC',
    words: stackWords(),
    // Anybody on the internet can call.
    rest: {
      access: 'keys',
      keys: dynamoApiKeys({ client: dynamoDb, table }),
      tokens: lambdaTokenService({ brokers, functionOf: names.function, vault, states, clock }),
    },
    login: {
      siteUrl,
      open: false,
      logins: lambdaLoginService({ functionOf: names.function }),
      keys: storedSigningKeys(vault, clock),
    },
  })
  return { app, clock }
}
