import type { Temporal } from 'temporal-polyfill'
import type { AccountState } from '../../model/account-state.ts'
import { TokenVaultError, WAIT_FOR_RUN } from '../../model/errors.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import { settledRead } from '../../model/settled-read.ts'
import { isFromTheFuture } from '../../model/time/clock-tolerance.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import { isOlder } from '../rules/token/older-read.ts'

/** The names of the secrets that one batched read fetches for an account of this broker. */
export function namesOf(broker: Broker): readonly SecretName[] {
  const names = new Set<SecretName>(broker.credentials.map(({ name }) => name))
  for (const grant of broker.grants) for (const name of grant.needs) names.add(name)
  names.add('access_token')
  return [...names]
}

/**
 * Reads an account's secrets, and again for up to two seconds while they are older than the record says was
 * written: SSM is eventually consistent, and sending an old refresh token can revoke its whole family. Throws
 * TokenVaultError.
 */
export async function readStored(ports: Ports, broker: Broker, state: AccountState): Promise<StoredSecrets> {
  const { clock } = ports
  const isOld = (stored: StoredSecrets): boolean => isStale(stored, state, clock.now())
  const misses = (stored: StoredSecrets): boolean => state.pending !== undefined && !stored.has('pending')
  const read = (): Promise<StoredSecrets> => readAll(ports, broker, state)
  const stored = await settledRead(read, (found) => isOld(found) || misses(found), clock)
  if (!isOld(stored)) return stored
  throw new TokenVaultError('the stored secrets are older than what was written last', {
    during: 'read',
    fix: WAIT_FOR_RUN,
  })
}

/**
 * A pending token is read only where the record says that there can be one; else the second read would cost
 * every run.
 */
async function readAll({ vault }: Ports, broker: Broker, state: AccountState): Promise<StoredSecrets> {
  const stored = await vault.read(state.account, namesOf(broker))
  if (!state.pending && !state.doubt) return stored
  return new Map([...stored, ...(await vault.read(state.account, ['pending']))])
}

function isStale(stored: StoredSecrets, state: AccountState, now: Temporal.Instant): boolean {
  return (
    older(stored, 'access_token', state.accessToken?.version, state.accessToken?.publishedAt, now) ||
    older(stored, 'refresh_token', state.refreshToken?.version, state.refreshToken?.savedAt, now)
  )
}

function older(
  stored: StoredSecrets,
  name: SecretName,
  version: number | undefined,
  writtenAt: Temporal.Instant | undefined,
  now: Temporal.Instant,
): boolean {
  const secret = stored.get(name)
  if (secret === undefined || version === undefined || writtenAt === undefined) return false
  // A write in the future was noted by a clock that was ahead: everything stored until then would seem older.
  if (isFromTheFuture(writtenAt, now)) return false
  return isOlder(secret, version, writtenAt)
}
