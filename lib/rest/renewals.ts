import type { Temporal } from 'temporal-polyfill'
import type { KnownAccount } from '../accounts/accounts.ts'
import type { AccountId } from '../model/account-id.ts'
import type { AccountState, ReportedToken } from '../model/account-state.ts'
import type { AccountResult } from '../model/outcome.ts'
import type { RefreshOrder } from '../ports/token-service.ts'
import { isHeld } from '../tokens/rules/decide/held.ts'
import { reportLine } from '../tokens/rules/outcome/report-line.ts'
import { isLive } from '../tokens/rules/token/token-status.ts'
import type { Caller } from './caller.ts'
import { problemOfRefusal, RestProblem } from './problem.ts'
import { rateLimit } from './rate-limit.ts'
import type { RestOptions } from './rest-env.ts'

/** Runs started for one account, and by one key, however they end. */
const PER_ACCOUNT = { count: 6, perSeconds: 60 }
const PER_KEY = { count: 60, perSeconds: 60 }
/**
 * Seconds after which a caller is told to ask again. API Gateway and the site's function give up after 29 s,
 * with the cold start and the reads around the renewal, and our own client after 35 s.
 */
const REPLY_SECONDS = 24
/** Seconds to wait for another run; a renewal takes a few seconds. */
const PATIENCE_SECONDS = 10
const LOOK_AGAIN_MS = 250
const MOST_ROUNDS = 3
/** Seconds for which one answer serves further callers, once there were too many. */
const ANSWER_HOLDS_SECONDS = 60

interface RenewalWish {
  /** The token with which the broker refused a consumer. */
  readonly reported?: ReportedToken
  readonly forcedAt?: Temporal.Instant
}

export interface Renewals {
  /**
   * Runs once over one account, however many callers ask at the same time: they share the result. A report
   * about a token that was replaced since is answered without a run. After 24 s a caller is told to ask
   * again, and then gets what the run has brought meanwhile. Throws RestProblem, StateStoreError.
   */
  renew(known: KnownAccount, wish: RenewalWish, caller: Caller): Promise<AccountResult>
}

interface Answer {
  readonly wish: string
  readonly at: Temporal.Instant
  readonly result: AccountResult
}

/** The renewals of one process: their limits and shared results are kept in its memory. */
export function renewals({ tokens, ports: { states, clock } }: RestOptions): Renewals {
  const running = new Map<string, Promise<AccountResult>>()
  const answers = new Map<AccountId, Answer>()
  const perAccount = rateLimit(PER_ACCOUNT, clock)
  const perKey = rateLimit(PER_KEY, clock)

  const untilFree = async (account: AccountId, lastMs: number): Promise<void> => {
    const until = Math.min(lastMs, clock.now().add({ seconds: PATIENCE_SECONDS }).epochMilliseconds)
    while (clock.now().epochMilliseconds < until) {
      const lease = (await states.get(account))?.lease
      if (!lease || !isHeld(lease, clock.now())) return
      await clock.sleep(LOOK_AGAIN_MS)
    }
  }

  const run = async ({ broker, state }: KnownAccount, wish: RenewalWish): Promise<AccountResult> => {
    const order: RefreshOrder = { broker: broker.id, accounts: [state.account], ...wish }
    const lastMs = clock.now().add({ seconds: REPLY_SECONDS }).epochMilliseconds
    for (let round = 1; ; round++) {
      const report = await tokens.refresh(order)
      if ('refused' in report) throw problemOfRefusal(report)
      const [result] = report.results
      const inTheWay = result === undefined || (result.outcome === 'skipped' && !result.loginHelpsFrom)
      if (!inTheWay || state.settings.managedBy === 'external') return result as AccountResult
      // Another run holds the account. It brings what is wanted, or its end allows another try.
      if (round === MOST_ROUNDS) throw busy()
      await untilFree(state.account, lastMs)
      if (clock.now().epochMilliseconds >= lastMs) throw busy()
    }
  }

  return {
    async renew(known, wish, caller) {
      const { broker, state } = known
      const { account } = state
      const now = clock.now()
      if (wish.reported && !isPresent(wish.reported, state) && isLive(state, now)) {
        const reason = 'the report is about an older access token; this one is live'
        return reportLine(broker, state, { outcome: 'fresh', reason }, now)
      }
      const words = JSON.stringify([account, wish.reported, wish.forcedAt])
      const under = running.get(words)
      if (under) return inTime(under)
      try {
        perAccount.take(account)
      } catch (tooMany) {
        const answer = answers.get(account)
        const fits = answer?.wish === words && secondsBetween(answer.at, now) < ANSWER_HOLDS_SECONDS
        if (fits) return answer.result
        throw tooMany
      }
      perKey.take(caller.keyId ?? '')
      const begun = run(known, wish)
        .then((result) => {
          answers.set(account, { wish: words, at: clock.now(), result })
          return result
        })
        .finally(() => running.delete(words))
      running.set(words, begun)
      return inTime(begun)
    },
  }
}

function isPresent(refused: ReportedToken, { generation, accessToken }: AccountState): boolean {
  return 'generation' in refused
    ? refused.generation === generation
    : refused.version === accessToken?.version
}

/** The run's result, unless it takes too long for a reply; the run goes on. Throws RestProblem. */
async function inTime(begun: Promise<AccountResult>): Promise<AccountResult> {
  let patience: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    patience = setTimeout(() => reject(busy()), REPLY_SECONDS * 1_000)
  })
  try {
    return await Promise.race([begun, tooLate])
  } finally {
    clearTimeout(patience)
  }
}

function busy(): RestProblem {
  return new RestProblem('busy', 'a run is at work on this account, and has not ended yet', {
    fix: 'ask again in a moment',
    retryAfterSeconds: 2,
  })
}

function secondsBetween(from: Temporal.Instant, to: Temporal.Instant): number {
  return from.until(to).total('seconds')
}
