import { sqliteApiKeys } from '../../lib/local/sqlite-api-keys.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import { tokenService } from '../../lib/tokens/service/token-service.ts'
import type { SiteOptions } from '../../lib/web/app.ts'
import type { World } from './world.ts'

/** The REST part of a site in front of a world. */
export function restOf(
  { database, ports }: World,
  brokers: readonly Broker[],
  access: 'loopback' | 'keys' = 'keys',
): SiteOptions['rest'] {
  return { keys: sqliteApiKeys(database), tokens: tokenService({ brokers, ports }), access }
}
