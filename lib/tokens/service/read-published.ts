import type { AccountId } from '../../model/account-id.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import { settledRead } from '../../model/settled-read.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Clock } from '../../ports/clock.ts'
import type { StateStore } from '../../ports/state-store.ts'
import type { PublishedToken } from '../../ports/token-service.ts'
import type { StoredSecrets, TokenVault } from '../../ports/token-vault.ts'
import { isOlder } from '../rules/token/older-read.ts'

const BEARER = 'Bearer {access_token}'

export interface PublishedOptions {
  readonly vault: Pick<TokenVault, 'read'>
  readonly states: Pick<StateStore, 'get'>
  readonly clock: Clock
}

/**
 * Reads what consumers may have of an account: the access token, the session, and the app's id where the
 * header names it. Reads again for up to two seconds while the vault shows an older token than was published,
 * since a consumer would report it as refused. `undefined` where no token is stored. Throws TokenVaultError,
 * StateStoreError.
 */
export async function readPublished(
  broker: Broker,
  account: AccountId,
  { vault, states, clock }: PublishedOptions,
): Promise<PublishedToken | undefined> {
  const names: readonly SecretName[] = namesApp(broker)
    ? ['access_token', 'session', 'client_id']
    : ['access_token', 'session']
  const record = (await states.get(account))?.accessToken
  const isStale = (stored: StoredSecrets): boolean => {
    const token = stored.get('access_token')
    return token !== undefined && record !== undefined && isOlder(token, record.version, record.publishedAt)
  }
  const stored = await settledRead(() => vault.read(account, names), isStale, clock)
  const token = stored.get('access_token')
  if (!token) return undefined
  const [session, clientId] = [stored.get('session')?.value, stored.get('client_id')?.value]
  return {
    accessToken: token.value,
    version: token.version,
    ...(session && { session }),
    ...(clientId && { clientId }),
  }
}

/**
 * The value of the Authorization header for the broker's API; `undefined` where it needs the app's id and
 * that is not stored.
 */
export function authorizationOf(
  broker: Broker,
  { accessToken, clientId }: PublishedToken,
): string | undefined {
  if (namesApp(broker) && !clientId) return undefined
  return authorizationForm(broker)
    .replace('{client_id}', () => clientId?.reveal() ?? '')
    .replace('{access_token}', () => accessToken.reveal())
}

/**
 * The scheme of the Authorization header, such as `Bearer` or `token`; `null` where the broker's header has
 * none.
 */
export function authorizationScheme(broker: Broker): string | null {
  const [scheme = '', value] = authorizationForm(broker).split(' ')
  return value === undefined ? null : scheme
}

function authorizationForm({ authorization = BEARER }: Broker): string {
  return authorization
}

function namesApp(broker: Broker): boolean {
  return authorizationForm(broker).includes('{client_id}')
}
