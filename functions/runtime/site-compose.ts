import { dynamoDbClient, ssmClient } from '../../lib/aws/clients.ts'
import { dynamoStateStore } from '../../lib/aws/dynamo-state-store.ts'
import { lambdaLoginDesk } from '../../lib/aws/lambda-login-desk.ts'
import { ssmTokenVault } from '../../lib/aws/ssm-token-vault.ts'
import type { Clock } from '../../lib/ports/clock.ts'
import type { Telemetry } from '../../lib/ports/telemetry.ts'
import { resourceNames } from '../../lib/resource-names.ts'
import { storedSigningKeys } from '../../lib/signing-keys.ts'
import { siteApp } from '../../lib/site/app.ts'
import { systemClock } from '../../lib/system-clock.ts'
import { readSiteEnvironment } from './site-environment.ts'

/** What answers requests, and the clock they are measured by. */
export interface SiteComposition {
  readonly app: ReturnType<typeof siteApp>
  readonly clock: Clock
}

export type ComposeSite = (telemetry: Pick<Telemetry, 'error'>) => SiteComposition

/**
 * The site on AWS, wired as the environment says. It reads state and its own key; what needs a broker's secret is left
 * to the broker's function. Throws ConfigurationError.
 */
export const composeSiteFromEnvironment: ComposeSite = (telemetry) => {
  const { prefix, table, stackName, siteUrl, brokers, hosts } = readSiteEnvironment()
  const names = resourceNames(stackName)
  const clock = systemClock
  const vault = ssmTokenVault({ client: ssmClient(), prefix, clock })
  const states = dynamoStateStore({ client: dynamoDbClient(), table })
  const app = siteApp({
    brokers,
    ports: { states, vault, clock, telemetry, hosts },
    timeZone: brokers[0]?.session.timeZone ?? 'UTC',
    // Nothing asks a caller who they are, and the whole internet may call.
    status: false,
    login: {
      siteUrl,
      open: false,
      desk: lambdaLoginDesk({ functionOf: names.function }),
      keys: storedSigningKeys(vault, clock),
    },
  })
  return { app, clock }
}
