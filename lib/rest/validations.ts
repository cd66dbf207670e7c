import type { Temporal } from 'temporal-polyfill'
import type { KnownAccount } from '../accounts/accounts.ts'
import type { AccountId } from '../model/account-id.ts'
import { type AccountState, isRefused } from '../model/account-state.ts'
import type { ServiceRefusal, Validation } from '../ports/token-service.ts'
import type { Caller } from './caller.ts'
import { problemOfRefusal, type RestProblem } from './problem.ts'
import { rateLimit } from './rate-limit.ts'
import type { RestOptions } from './rest-env.ts'

/**
 * Seconds for which an answer serves all callers, since brokers count calls; also where there was no verdict.
 */
const PROOF_HOLDS_SECONDS = 60
/** Proofs started by one key, over all accounts. */
const PER_KEY = { count: 60, perSeconds: 60 }

/** Asks the broker about tokens for many callers, at a rate that it allows. */
export interface Validations {
  /**
   * What the broker says about the account's published token. It is asked at most once a minute about one
   * token; in between its last answer is repeated, or why there was none. Throws RestProblem.
   */
  validate(known: KnownAccount, caller: Caller): Promise<Validation>
}

/** How the last proof of an account ended. */
interface Ending {
  /** Which token the answer is about. */
  readonly token: string
  readonly at: Temporal.Instant
  readonly said: Validation | ServiceRefusal
}

/** The validations of one process: their limits and last answers are kept in its memory. */
export function validations({ tokens, ports: { clock } }: RestOptions): Validations {
  const asking = new Map<AccountId, Promise<Validation>>()
  /** At most one for each account. */
  const validated = new Map<AccountId, Ending>()
  const perKey = rateLimit(PER_KEY, clock)

  const ask = async ({ state }: KnownAccount): Promise<Validation> => {
    const { account } = state
    const said = await tokens.validate({ account })
    const validation = { token: tokenOf(state), at: clock.now(), said }
    validated.set(account, validation)
    return validationIn(validation, validation.at)
  }

  return {
    async validate(known, caller) {
      const { account } = known.state
      const now = clock.now()
      const proof = proofOnRecord(known, now)
      if (proof) return proof
      const last = validated.get(account)
      if (last?.token === tokenOf(known.state) && isRecent(last.at, now)) return validationIn(last, now)
      const under = asking.get(account)
      if (under) return under
      perKey.take(caller.keyId ?? '')
      const begun = ask(known).finally(() => asking.delete(account))
      asking.set(account, begun)
      return begun
    },
  }
}

/** The answer from the record, where a run or another process has proven the token within the last minute. */
function proofOnRecord({ broker, state }: KnownAccount, now: Temporal.Instant): Validation | undefined {
  const { account, accessToken, userId = null } = state
  if (!accessToken || isRefused(state)) return undefined
  if (!isRecent(accessToken.provenAt, now)) return undefined
  const { timeZone } = broker.session
  const checkedAt = accessToken.provenAt.toString({ timeZone, smallestUnit: 'second' })
  return { account, valid: true, checkedAt, userID: userId }
}

/** The broker's verdict. Throws RestProblem where there was none, with the time until it is asked again. */
function validationIn({ said, at }: Ending, now: Temporal.Instant): Validation {
  if ('refused' in said) throw problemLeft(said, at.until(now).total('seconds'))
  return said
}

function problemLeft(refusal: ServiceRefusal, secondsAgo: number): RestProblem {
  const waitSeconds = Math.max(refusal.retryAfterSeconds ?? 0, PROOF_HOLDS_SECONDS)
  return problemOfRefusal({ ...refusal, retryAfterSeconds: Math.ceil(waitSeconds - secondsAgo) })
}

function tokenOf({ generation, accessToken }: AccountState): string {
  return `${generation}/${accessToken?.version}`
}

function isRecent(at: Temporal.Instant, now: Temporal.Instant): boolean {
  const seconds = at.until(now).total('seconds')
  return seconds >= 0 && seconds < PROOF_HOLDS_SECONDS
}
