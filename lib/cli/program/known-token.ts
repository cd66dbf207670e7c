import type { Temporal } from 'temporal-polyfill'
import type { UnavailableCode } from '../../client/errors.ts'
import { TokenUnavailableError } from '../../client/errors.ts'
import type { ClientToken, TokenSource } from '../../client/sources/token-source.ts'
import { unavailableOf } from '../../client/unavailable.ts'
import type { AccountId } from '../../model/account-id.ts'
import { isBefore } from '../../model/time/instants.ts'
import { localInstant } from '../../model/time/local-time.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ServiceRefusal, Validation } from '../../ports/token-service.ts'
import { DEAD_EARLY_SECONDS } from '../../tokens/rules/token/due.ts'
import { EXIT, exitCodeOfError } from '../terminal/exit-codes.ts'

type Instant = Temporal.Instant

/** What stands in the way of a token, and what helps. */
export interface Remedy {
  /** @default - what is wrong with the token itself, which the keeper can mend */
  readonly code?: UnavailableCode
  /** One imperative sentence without a full stop. */
  readonly fix: string
}

/** What is known of an account's token without asking the broker. */
export interface KnownToken {
  readonly account: AccountId
  readonly broker: Broker
  /** When it dies; absent where nobody can tell. */
  readonly expiresAt?: Instant
  /** Why it is of no use however long it lives. */
  readonly objection?: { readonly code: UnavailableCode; readonly reason: string }
  /** How to get one that is alive, or lasts until then. */
  remedy(until: Instant | undefined): Promise<Remedy>
}

export interface Judged {
  /** What it must outlive. @default - any live token will do */
  readonly until: Instant | undefined
  readonly now: Instant
  /** What the broker said about it a moment ago. */
  readonly proof?: Validation | ServiceRefusal | undefined
}

export interface TokenVerdict {
  readonly account: AccountId
  readonly good: boolean
  readonly exitCode: number
  /** `ok` or what is wrong, for programs. */
  readonly code: UnavailableCode
  readonly verdict: string
  /** ISO 8601 in the broker's zone. */
  readonly validUntil: string | null
  /** What to do. */
  readonly fix: string | null
}

/** Whether a token lasts, as far as anybody can prove, and whose turn it is when it does not. */
export async function judge(token: KnownToken, judged: Judged): Promise<TokenVerdict> {
  const { account, broker, expiresAt } = token
  const { timeZone } = broker.session
  const told = {
    account,
    validUntil: expiresAt?.toString({ timeZone, smallestUnit: 'second' }) ?? null,
  }
  const wrong = whatIsWrong(token, judged)
  if (!wrong) {
    const live = judged.proof ? 'proven live' : 'live'
    const verdict = judged.until ? `${live}, lasts past ${localInstant(judged.until, timeZone)}` : live
    return { ...told, good: true, exitCode: EXIT.ok, code: 'ok', verdict, fix: null }
  }
  const { fix, code = wrong.code } = wrong.fix === undefined ? await token.remedy(judged.until) : wrong
  return { ...told, ...failure(new TokenUnavailableError(wrong.reason, { account, code, fix: fix ?? '' })) }
}

/** An account nothing could be found out about. */
export function verdictOfError(error: unknown, account: AccountId): TokenVerdict {
  return { account, validUntil: null, ...failure(unavailableOf(error, account)) }
}

function failure(error: TokenUnavailableError): Omit<TokenVerdict, 'account' | 'validUntil'> {
  const { code, message, fix } = error
  return { good: false, exitCode: exitCodeOfError(error), code, verdict: message, fix }
}

interface Wrong {
  readonly code: UnavailableCode
  readonly reason: string
  /** Set where the token is not what has to be mended. */
  readonly fix?: string
}

function whatIsWrong({ broker, expiresAt, objection }: KnownToken, judged: Judged): Wrong | undefined {
  const { until, now, proof } = judged
  // What nobody knew is known by a proof of just now.
  const settled = objection?.code === UNPROVEN && proof && 'valid' in proof && proof.valid
  if (objection && !settled) return objection
  if (proof && 'refused' in proof) {
    return { code: proof.code, reason: `not proven: ${proof.reason}`, fix: proof.fix }
  }
  if (proof && !proof.valid) {
    const isGone = proof.problem?.code === 'no_token'
    return isGone ? NO_TOKEN : { code: 'expired', reason: 'the broker refuses it' }
  }
  const local = (instant: Instant): string => localInstant(instant, broker.session.timeZone)
  if (!expiresAt) {
    if (proof && !until) return undefined
    return { code: 'unknown_expiry', reason: 'nobody can tell how long it lives' }
  }
  if (isOver(expiresAt, now)) {
    return { code: 'expired', reason: `expired ${local(expiresAt)}` }
  }
  if (until && isBefore(expiresAt, until)) {
    return { code: 'too_short', reason: `too short: it must last until ${local(until)}` }
  }
  return undefined
}

/** Something may have ended the token, and the broker was not asked since. */
const UNPROVEN = 'unproven'

export function unproven(since: Instant, timeZone: string): { code: typeof UNPROVEN; reason: string } {
  return { code: UNPROVEN, reason: `unproven since ${localInstant(since, timeZone)}` }
}

/** The broker, when the keeper asked it last. */
export const REFUSED = { code: 'expired', reason: 'the broker has refused it' } as const

export const NO_TOKEN = { code: 'no_token', reason: 'no token yet' } as const

/** All that can be known where only the token itself may be read. */
export async function tokenOfSource(source: TokenSource, clock: Pick<Clock, 'now'>): Promise<KnownToken> {
  const { account, broker } = source
  const told = {
    account,
    broker,
    remedy: async () => ({
      fix: `have it renewed where the account is kept: tokenkeeper refresh ${account}`,
    }),
  }
  try {
    const token = await source.read()
    const { expiresAt } = token
    const objection = objectionTo(token, clock.now(), broker.session.timeZone)
    return { ...told, ...(expiresAt && { expiresAt }), ...(objection && { objection }) }
  } catch (error) {
    if (!(error instanceof TokenUnavailableError && error.code === NO_TOKEN.code)) throw error
    return { ...told, objection: NO_TOKEN }
  }
}

/** What comes with the token speaks against it: of one whose time is not over, the keeper says that it is not live. */
function objectionTo(
  { expiresAt, live, unprovenSince }: ClientToken,
  now: Instant,
  timeZone: string,
): KnownToken['objection'] {
  if (unprovenSince) return unproven(unprovenSince, timeZone)
  return live === false && expiresAt && !isOver(expiresAt, now) ? REFUSED : undefined
}

function isOver(expiresAt: Instant, now: Instant): boolean {
  return now.until(expiresAt).total('seconds') <= DEAD_EARLY_SECONDS
}
