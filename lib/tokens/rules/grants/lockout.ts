import type { AccountState, StateChanges } from '../../../model/account-state.ts'
import {
  BrokerUnavailableError,
  ClientRejectedError,
  ConfigurationError,
  HumanActionError,
  RateLimitedError,
  TokenkeeperError,
} from '../../../model/errors.ts'
import type { SecretName } from '../../../model/secret-name.ts'
import type { Broker, Grant } from '../../../ports/broker/broker.ts'
import type { StoredSecrets } from '../../../ports/token-vault.ts'
import { secretStamp } from './secret-stamp.ts'

/** Where it is not known after how many wrong tries a broker locks (lib/brokers/README.md, Lock-outs). */
const DEFAULT_LOCK_AFTER = 3
/** Tries that are left to the person, who may mistype as well. */
const LEFT_TO_THE_PERSON = 2

/** What a person chose; keys that a broker made lock nobody out. */
const CHOSEN_BY_A_PERSON: ReadonlySet<SecretName> = new Set(['password', 'pin'])

/** The credentials of a grant that a broker counts wrong tries of, and how many of unknown fate are allowed. Pure. */
export function countedSecrets(
  { credentials }: Pick<Broker, 'credentials'>,
  { needs }: Pick<Grant, 'needs'>,
): ReadonlyMap<SecretName, number> {
  const counted = new Map<SecretName, number>()
  for (const { name, lockAfter } of credentials) {
    if (!needs.includes(name) || lockAfter === 'never') continue
    if (lockAfter === undefined && !CHOSEN_BY_A_PERSON.has(name)) continue
    counted.set(name, Math.max(1, (lockAfter ?? DEFAULT_LOCK_AFTER) - LEFT_TO_THE_PERSON))
  }
  return counted
}

/** One more try of each counted secret, written down before it is sent: what dies in between counts as wrong. */
export function withTry(
  broker: Broker,
  grant: Grant,
  state: AccountState,
  stored: StoredSecrets,
): StateChanges {
  const names = [...countedSecrets(broker, grant).keys()]
  if (names.length === 0) return {}
  const more = names.map((name) => {
    const stamp = secretStamp(stored, name)
    const before = state.unconfirmed?.[name]
    return [name, { stamp, count: before?.stamp === stamp ? before.count + 1 : 1 }] as const
  })
  return { unconfirmed: { ...state.unconfirmed, ...Object.fromEntries(more) } }
}

/** What an adapter did with the credentials during one attempt. */
export interface UsedCredentials {
  /** Whether it asked for the value, which it does to send it. */
  wasUsed(name: SecretName): boolean
  /** Whether the broker took it for right. */
  wasAccepted(name: SecretName): boolean
}

/** What is left of {@link withTry} once the broker has taken these credentials for right. */
export function confirmedTries(
  names: readonly SecretName[],
  { unconfirmed }: Pick<AccountState, 'unconfirmed'>,
): StateChanges {
  if (!unconfirmed) return {}
  const rest = Object.entries(unconfirmed).filter(([name]) => !names.includes(name as SecretName))
  return { unconfirmed: rest.length > 0 ? Object.fromEntries(rest) : undefined }
}

/** What is left of {@link withTry} after an attempt that failed. */
export function afterFailedTry(
  error: unknown,
  counted: readonly SecretName[],
  used: UsedCredentials,
  { unconfirmed }: AccountState,
): StateChanges {
  if (counted.length === 0 || !unconfirmed) return {}
  const rest: Partial<Record<SecretName, { stamp: string; count: number }>> = { ...unconfirmed }
  for (const name of counted) {
    const tries = rest[name]
    if (!tries) continue
    if (used.wasAccepted(name)) delete rest[name]
    else if (!used.wasUsed(name) || judgesNothing(error) || clears(error, name)) {
      if (tries.count > 1) rest[name] = { ...tries, count: tries.count - 1 }
      else delete rest[name]
    }
  }
  return { unconfirmed: Object.keys(rest).length > 0 ? rest : undefined }
}

/** Not reached, throttled, refused as an app or as a person, or a fault the broker itself names: the secret was not judged. */
function judgesNothing(error: unknown): boolean {
  return (
    (error instanceof BrokerUnavailableError && (!error.sent || error.brokerCode !== undefined)) ||
    (error instanceof HumanActionError && error.problem !== 'wrong_secret') ||
    error instanceof RateLimitedError ||
    error instanceof ClientRejectedError ||
    error instanceof ConfigurationError
  )
}

/** Whether the broker has named what it refused, and it is not this. */
function clears(error: unknown, name: SecretName): boolean {
  const suspects = error instanceof TokenkeeperError ? error.suspects : undefined
  return suspects !== undefined && !suspects.includes(name)
}

/** Why a grant must not be tried: one try more could lock the account. `undefined` when it may. Pure. */
export function nearLockout(
  broker: Broker,
  grant: Grant,
  { account, unconfirmed }: AccountState,
  stored: StoredSecrets,
): { readonly reason: string; readonly fix: string } | undefined {
  for (const [name, most] of countedSecrets(broker, grant)) {
    const tries = unconfirmed?.[name]
    if (!tries || tries.count < most || tries.stamp !== secretStamp(stored, name)) continue
    const times = tries.count === 1 ? 'once' : `${tries.count} times`
    return {
      reason:
        `the stored ${name} was sent ${times} and ${broker.displayName} did not say whether it is right; ` +
        'another try could lock the account',
      fix: `check that the ${name} is right and store it again, changed or not: tokenkeeper put ${account} ${name}`,
    }
  }
  return undefined
}
