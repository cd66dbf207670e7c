import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../../model/account-id.ts'
import type { AccountState, Ambiguity, GrantBlock, StateChanges } from '../../../model/account-state.ts'
import {
  AmbiguousError,
  BrokerUnavailableError,
  HumanActionError,
  RateLimitedError,
  TokenkeeperError,
  TokenLostError,
  UnexpectedResponseError,
  WrongAccountError,
} from '../../../model/errors.ts'
import type { SecretName } from '../../../model/secrets/secret-name.ts'
import type { Broker, Grant } from '../../../ports/broker/broker.ts'
import type { StoredSecrets } from '../../../ports/token-vault.ts'
import { fixOf, forAccount } from '../outcome/advice.ts'
import { gaveNothing, noteDoubt, withdrawDoubt } from '../token/doubt.ts'
import { unresolved } from './block.ts'
import { withAttempt } from './budget.ts'
import { afterFailedTry, confirmedTries, type UsedCredentials, withTry } from './lockout.ts'
import { secretStamp } from './secret-stamp.ts'

/**
 * A broker that asks for a longer wait is taken to be mistaken (in the unit, or in the date). If it is not,
 * it says so again at the next try.
 */
const LONGEST_NOT_BEFORE_S = 24 * 60 * 60

type LeftAlone = Required<Pick<AccountState, 'notBefore' | 'notBeforeSetAt'>>

/** One failed attempt with a grant, and what was known when it failed. */
export interface GrantFailure {
  readonly error: unknown
  readonly grant: Grant
  /** Whether the grant gave a token that then could not be saved, proven or published. */
  readonly minted: boolean
  /** The grant's secrets for which the broker counts wrong tries. */
  readonly counted: readonly SecretName[]
  readonly used: UsedCredentials
  /** The broker's IANA time zone, in which its days begin. */
  readonly timeZone: string
  readonly at: Temporal.Instant
}

/**
 * What is recorded before a grant is sent, since a process that dies then can record nothing later: the
 * attempt, the tries of counted secrets, that a grant which must not be repeated freely may have reached the
 * broker (I4), and that its answer may have ended the published token (I9). Pure.
 */
export function beforeAttempt(
  broker: Broker,
  grant: Grant,
  state: AccountState,
  stored: StoredSecrets,
  at: Temporal.Instant,
): StateChanges {
  const attempts = withAttempt(state.attempts, at)
  const doubt = {
    ...noteDoubt(broker, state, { by: grant.kind, at }),
    ...withTry(broker, grant, state, stored),
  }
  if (grant.repeatsAfterAmbiguity === 'budget') return { attempts, ...doubt }
  return { attempts, ambiguous: ambiguityOf(grant, state, stored, at), ...doubt }
}

/** Until when a throttled account is left alone, and since when; a day at most. Pure. */
export function leftAlone({ retryAfterSeconds }: RateLimitedError, at: Temporal.Instant): LeftAlone {
  const seconds = Math.min(Math.ceil(retryAfterSeconds), LONGEST_NOT_BEFORE_S)
  return { notBefore: at.add({ seconds }), notBeforeSetAt: at }
}

/**
 * What a failed grant changes in the state record: blocks, waits, the ambiguity, the counts noted before.
 * Pure.
 */
export function tracesOfFailure(
  failure: GrantFailure,
  state: AccountState,
  stored: StoredSecrets,
): StateChanges {
  const { error, grant, minted, at, counted, used } = failure
  // A grant that was throttled, or that never sent its password, made no attempt at the login: it is not
  // counted.
  const isNoAttempt =
    !minted &&
    (error instanceof RateLimitedError || (counted.length > 0 && !counted.some((name) => used.wasUsed(name))))
  const noted = grant.repeatsAfterAmbiguity !== 'budget'
  const settled: StateChanges = {
    ...(noted && !(error instanceof AmbiguousError) && tellsFate(error) && { ambiguous: undefined }),
    ...(minted ? confirmedTries(counted, state) : afterFailedTry(error, counted, used, state)),
    ...(isNoAttempt && { attempts: state.attempts.slice(0, -1) }),
    ...((!minted || error instanceof WrongAccountError) &&
      gaveNothing(error) &&
      withdrawDoubt(state, state.attempts.at(-1))),
  }
  if (error instanceof AmbiguousError) {
    // A grant that may be repeated freely must not replace the note about a grant that may not.
    const other = unresolved(state, stored)
    const isFree = !noted && (other === undefined || other.grant === grant.kind)
    return { ...settled, ...(isFree && { ambiguous: ambiguityOf(grant, state, stored, at) }) }
  }
  if (error instanceof RateLimitedError) {
    return { ...settled, ...leftAlone(error, at) }
  }
  if (error instanceof BrokerUnavailableError) {
    // An attempt that never reached the broker does not count against the login budget.
    return error.sent || minted ? settled : { ...settled, attempts: state.attempts.slice(0, -1) }
  }
  const block = blockOf(failure, state.account, stored)
  return { ...settled, ...(block && { blocks: { ...state.blocks, [grant.kind]: block } }) }
}

function ambiguityOf(
  grant: Grant,
  state: AccountState,
  stored: StoredSecrets,
  at: Temporal.Instant,
): Ambiguity {
  const before = unresolved(state, stored)
  const repeats = before?.grant === grant.kind ? before.repeats + 1 : 0
  return { grant: grant.kind, at, repeats, stamps: stampsOf(grant.needs, stored), probed: false }
}

/**
 * Whether an error tells what became of the grant. After a reply that cannot be read, a token that could not
 * be saved or a bug of ours, the grant may be spent.
 */
function tellsFate(error: unknown): boolean {
  if (error instanceof UnexpectedResponseError || error instanceof TokenLostError) return false
  return error instanceof TokenkeeperError
}

function blockOf(failure: GrantFailure, account: AccountId, stored: StoredSecrets): GrantBlock | undefined {
  const { error, grant, at, counted } = failure
  if (!(error instanceof TokenkeeperError)) return undefined
  const suspects = error.suspects ?? (isOfSecrets(error) && counted.length > 0 ? counted : grant.needs)
  const stamps = stampsOf(suspects, stored)
  const minutes = grant.refusalStandsMinutes
  const ends = minutes === undefined ? {} : { until: at.add({ minutes }) }
  const tomorrow = at.toZonedDateTimeISO(failure.timeZone).startOfDay().add({ days: 1 }).toInstant()
  const fix = forAccount(fixOf(error), account)
  const block = { code: error.code, reason: forAccount(error.message, account), fix, stamps, at, ...ends }
  switch (error.code) {
    case 'grant_rejected':
      // The grant worked and its token was refused: that says nothing against the stored credentials.
      if (failure.minted) return { until: tomorrow, ...block, forcible: true }
      // FYERS may answer a wrong PIN with this error, so not even a forced run sends the same PIN again.
      return { ...block, forcible: false }
    case 'human_action': {
      const { problem } = error as HumanActionError
      // The code may have been refused because a clock was wrong, which may be right by now: one more try a
      // day.
      if (problem === 'one_time_code') return { ...block, until: tomorrow, forcible: false }
      if (problem !== 'account') return { ...block, forcible: problem === 'locked' }
      // The person puts this right at the broker, and nothing tells us: it is tried again once a day, and by
      // a forced run.
      return { until: tomorrow, ...block, forcible: true }
    }
    case 'wrong_account':
      return { ...block, forcible: true }
    case 'client_rejected':
      // The app can be put right at the broker without anything changing here: one more try each day.
      return { until: tomorrow, ...block, forcible: true }
    default:
      return undefined
  }
}

/** Whether the broker refused a secret that was sent, and not the app or the person. */
function isOfSecrets(error: TokenkeeperError): boolean {
  return (
    error.code === 'grant_rejected' || (error instanceof HumanActionError && error.problem === 'wrong_secret')
  )
}

function stampsOf(names: readonly SecretName[], stored: StoredSecrets): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, secretStamp(stored, name)]))
}
