import type { Temporal } from 'temporal-polyfill'
import type { Validation } from '../ports/token-desk.ts'
import type { KnownAccount } from '../site/accounts.ts'
import type { AccountId } from '../tokens/account-id.ts'
import { type AccountState, isRefused } from '../tokens/account-state.ts'
import type { Caller } from './access.ts'
import { problemOfRefusal } from './problem.ts'
import { rateLimit } from './rate-limit.ts'
import type { RestOptions } from './rest-env.ts'

/** Brokers count calls: a proof holds this long for everybody who asks. */
const PROOF_HOLDS_SECONDS = 60
/** Proofs begun by one key, over all accounts. */
const PER_KEY = { count: 60, perSeconds: 60 }

export interface Validations {
  /**
   * What the broker says about the account's published token, asked at most once a minute for one token: else what it
   * said last. Throws RestProblem.
   */
  validate(known: KnownAccount, caller: Caller): Promise<Validation>
}

interface Verdict {
  /** Which token it is about. */
  readonly token: string
  readonly at: Temporal.Instant
  readonly validation: Validation
}

export function validations({ desk, ports: { clock } }: RestOptions): Validations {
  const asking = new Map<AccountId, Promise<Validation>>()
  const verdicts = new Map<AccountId, Verdict>()
  const perKey = rateLimit(PER_KEY, clock)

  const ask = async ({ state }: KnownAccount): Promise<Validation> => {
    const { account } = state
    const validation = await desk.validate({ account })
    if ('refused' in validation) throw problemOfRefusal(validation)
    verdicts.set(account, { token: tokenOf(state), at: clock.now(), validation })
    return validation
  }

  return {
    async validate(known, caller) {
      const { account } = known.state
      const held = proofOnRecord(known, clock.now()) ?? verdictOn(known, verdicts.get(account), clock.now())
      if (held) return held
      const under = asking.get(account)
      if (under) return under
      perKey.take(caller.keyId ?? '')
      const begun = ask(known).finally(() => asking.delete(account))
      asking.set(account, begun)
      return begun
    },
  }
}

/** A run, or another process, may have proven it a moment ago. */
function proofOnRecord({ broker, state }: KnownAccount, now: Temporal.Instant): Validation | undefined {
  const { account, accessToken, userId = null } = state
  if (!accessToken || isRefused(state)) return undefined
  if (!isRecent(accessToken.provenAt, now)) return undefined
  const { timeZone } = broker.session
  const checkedAt = accessToken.provenAt.toString({ timeZone, smallestUnit: 'second' })
  return { account, valid: true, checkedAt, userID: userId }
}

function verdictOn(
  { state }: KnownAccount,
  verdict: Verdict | undefined,
  now: Temporal.Instant,
): Validation | undefined {
  const fits = verdict?.token === tokenOf(state) && isRecent(verdict.at, now)
  return fits ? verdict?.validation : undefined
}

function tokenOf({ generation, accessToken }: AccountState): string {
  return `${generation}/${accessToken?.version}`
}

function isRecent(at: Temporal.Instant, now: Temporal.Instant): boolean {
  const seconds = at.until(now).total('seconds')
  return seconds >= 0 && seconds < PROOF_HOLDS_SECONDS
}
