import type { AccountState, StateChanges } from '../../../model/account-state.ts'
import {
  BrokerUnavailableError,
  ClientRejectedError,
  ConfigurationError,
  HumanActionError,
  RateLimitedError,
  TokenkeeperError,
} from '../../../model/errors.ts'
import type { SecretName } from '../../../model/secrets/secret-name.ts'
import type { Broker, Grant } from '../../../ports/broker/broker.ts'
import type { StoredSecrets } from '../../../ports/token-vault.ts'
import { secretStamp } from './secret-stamp.ts'

/**
 * Wrong tries after which an account locks, where the broker does not say (lib/brokers/README.md, Lock-outs).
 */
const DEFAULT_LOCK_AFTER = 3
/** Tries that are left to the person, who may mistype too. */
const LEFT_TO_THE_PERSON = 2

/** Secrets that a person chose, whose wrong tries lock an account. Keys that a broker generates do not. */
const CHOSEN_BY_A_PERSON: ReadonlySet<SecretName> = new Set(['password', 'pin'])

/**
 * The secrets of a grant for which the broker counts wrong tries, and for each how many tries of unknown fate
 * are allowed. Pure.
 */
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

/**
 * Counts one more try of each counted secret. It is recorded before the secret is sent, so a try during which
 * the process dies counts as wrong. Pure.
 */
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
  /** Whether the adapter read the value; it does so only to send it. */
  wasUsed(name: SecretName): boolean
  /** Whether the broker accepted it as right. */
  wasAccepted(name: SecretName): boolean
}

/**
 * The counts of {@link withTry} once the broker has accepted the secrets `names`: theirs are dropped. Pure.
 */
export function confirmedTries(
  names: readonly SecretName[],
  { unconfirmed }: Pick<AccountState, 'unconfirmed'>,
): StateChanges {
  if (!unconfirmed) return {}
  const rest = Object.entries(unconfirmed).filter(([name]) => !names.includes(name as SecretName))
  return { unconfirmed: rest.length > 0 ? Object.fromEntries(rest) : undefined }
}

/**
 * The counts of {@link withTry} after a failed attempt: a try that says nothing about a secret is taken back.
 * Pure.
 */
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

/**
 * Whether an error says nothing about a secret: the broker was not reached, throttled us, refused the app or
 * the person, or named a fault of its own.
 */
function judgesNothing(error: unknown): boolean {
  return (
    (error instanceof BrokerUnavailableError && (!error.sent || error.brokerCode !== undefined)) ||
    (error instanceof HumanActionError && error.problem !== 'wrong_secret') ||
    error instanceof RateLimitedError ||
    error instanceof ClientRejectedError ||
    error instanceof ConfigurationError
  )
}

/** Whether the broker has named the secret it refused, and it is another than `name`. */
function clears(error: unknown, name: SecretName): boolean {
  const suspects = error instanceof TokenkeeperError ? error.suspects : undefined
  return suspects !== undefined && !suspects.includes(name)
}

/**
 * Why a grant must not be tried: one more try could lock the account. `undefined` where it may be tried.
 * Pure.
 */
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
