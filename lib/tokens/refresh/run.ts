import { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import type { ReportedToken } from '../../model/account-state.ts'
import { type AccountState, newAccountState } from '../../model/account-state.ts'
import { type AccountResult, isUnsuccessful, type RunReport, report } from '../../model/outcome.ts'
import { isBefore } from '../../model/time/instants.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import { reportLine } from '../rules/outcome/report-line.ts'
import { resultOfError } from '../rules/outcome/run-result.ts'
import { registerFound } from './found-account.ts'
import { measure } from './measure.ts'
import { eachOf, pacer } from './pace.ts'
import { refreshAccount } from './refresh.ts'

/** Seconds one account may need in the worst case; no account is started with less time left. */
const ACCOUNT_BUDGET_S = 45
/** How often one run tries an account that has a passing fault. */
const TRIES_PER_RUN = 3
const PAUSE_GROWTH = 4

/** A run over accounts of one broker. */
export interface RunRequest {
  readonly broker: Broker
  /** Only these accounts. @default - every account of the registry */
  readonly accounts?: readonly AccountId[] | undefined
  /** Set when a person wants new tokens although the stored ones may be fresh. */
  readonly forcedAt?: Temporal.Instant | undefined
  /** A consumer was refused by the broker with this access token; for a run over a single account. */
  readonly reported?: ReportedToken | undefined
  /** Names this run; no two runs share it. */
  readonly owner: string
  /** When this process is stopped from outside. */
  readonly hardDeadline: Temporal.Instant
  /** Seconds between the starts of two accounts. @default - the broker's */
  readonly pacingSeconds?: number | undefined
  readonly onProgress?: (progress: Progress) => void
  /** Ends the run early as a near deadline does: no further account is started. */
  readonly signal?: AbortSignal | undefined
}

/**
 * What a run tells while it is under way: an account was started, is finished, or waits to be tried again.
 */
export type Progress =
  /** Its turn has come; an account with nothing to do takes none. */
  | { readonly event: 'started'; readonly account: AccountId; readonly attempt: number }
  | { readonly event: 'finished'; readonly account: AccountId; readonly result: AccountResult }
  | {
      readonly event: 'waiting'
      readonly account: AccountId
      readonly until: Temporal.Instant
      /** Why the account is tried again. */
      readonly reason: string
    }

/** The report of a run, and what is left to do. */
export interface Run {
  readonly report: RunReport
  /**
   * Accounts that were not started because the deadline was near or the run was ended; for a follow-up run.
   */
  readonly remaining: readonly AccountId[]
  /** Accounts that the run before this one had left without success. */
  readonly unsuccessfulBefore: ReadonlySet<AccountId>
}

interface Waiting {
  readonly account: AccountId
  readonly attempt: number
  readonly notBefore: Temporal.Instant
  /** How long to wait, at most; `notBefore` may be further away once our clock was set back. */
  readonly pauseMs: number
}

/**
 * Refreshes the accounts of one broker, a few at a time and within its pacing. A failure of one account never
 * touches another. Near the deadline no further account is started, and those left are returned, so that each
 * is done exactly once however many invocations it takes. Never throws.
 */
export async function runBroker(request: RunRequest, ports: Ports): Promise<Run> {
  const { broker } = request
  const { clock, telemetry } = ports
  const results = new Map<AccountId, AccountResult>()
  const remaining: AccountId[] = []
  const found: AccountId[] = []
  const unsuccessfulBefore = new Set<AccountId>()
  const retries: Waiting[] = []
  const lastStart = request.hardDeadline.subtract({ seconds: ACCOUNT_BUDGET_S })
  const pace = pacer(request.pacingSeconds ?? broker.pacingSeconds, lastStart, ports)
  const nearDeadline = (): boolean => request.signal?.aborted === true || !isBefore(clock.now(), lastStart)

  const begin = (account: AccountId, state: AccountState | undefined, attempt: number) => {
    // Only what calls a broker is paced: of two hundred fresh accounts none has to wait.
    const turn = async (): Promise<boolean> => {
      await pace()
      if (nearDeadline()) return false
      request.onProgress?.({ event: 'started', account, attempt })
      return true
    }
    const { owner, forcedAt, reported, hardDeadline: processEnd } = request
    return refreshAccount({ broker, account, state, owner, forcedAt, reported, processEnd, turn }, ports)
  }

  const work = async (
    account: AccountId,
    state: AccountState | undefined,
    attempt: number,
  ): Promise<void> => {
    const refreshed = nearDeadline() ? undefined : await begin(account, state, attempt)
    if (!refreshed || 'notStarted' in refreshed) {
      const lastTry = results.get(account)
      if (lastTry) request.onProgress?.({ event: 'finished', account, result: lastTry })
      else remaining.push(account)
      return
    }
    if (attempt === 1 && isUnsuccessful(state?.last?.outcome)) unsuccessfulBefore.add(account)
    const { result, retryAt } = refreshed
    results.set(account, result)
    if (retryAt && attempt < TRIES_PER_RUN && isBefore(retryAt, lastStart) && !result.success) {
      const pauseMs = Math.max(0, clock.now().until(retryAt).total('milliseconds')) * growth(attempt)
      const grown = clock.now().add({ milliseconds: Math.round(pauseMs) })
      // A pause that grows past the last start would allow no further try (I8).
      const notBefore = isBefore(grown, lastStart) ? grown : retryAt
      const waitMs = Math.max(0, clock.now().until(notBefore).total('milliseconds'))
      retries.push({ account, attempt: attempt + 1, notBefore, pauseMs: waitMs })
    } else {
      request.onProgress?.({ event: 'finished', account, result })
    }
  }

  try {
    await eachOf(
      accountsOf(request, ports, (account) => found.push(account)),
      broker.concurrency,
      ({ account, state }) => work(account, state, 1),
    )
    for (let next = takeFirst(retries); next !== undefined; next = takeFirst(retries)) {
      const { account, notBefore: until } = next
      const reason = results.get(account)?.reason ?? ''
      request.onProgress?.({ event: 'waiting', account, until, reason })
      const leftMs = clock.now().until(until).total('milliseconds')
      await clock.sleep(Math.min(next.pauseMs, Math.max(0, leftMs)))
      await work(next.account, await ports.states.get(next.account), next.attempt)
    }
  } catch (error) {
    const result = resultOfError(error, broker.id as AccountId, clock.now())
    telemetry.error('the run could not read the account registry', {
      broker: broker.id,
      reason: result.reason,
    })
    for (const account of request.accounts ?? [broker.id as AccountId]) {
      if (!results.has(account))
        results.set(account, reportLine(broker, newAccountState(account), result, clock.now()))
    }
  }
  const empty = `no accounts: run tokenkeeper setup ${broker.id}`
  const done = report(inOrder(results), remaining.length, empty)
  const message =
    found.length > 0 ? `${done.message}; ${found.join()} was found and is registered now` : done.message
  const run = { report: { ...done, message }, remaining, unsuccessfulBefore }
  measure(broker, run.report, ports.telemetry)
  return run
}

interface Entry {
  readonly account: AccountId
  readonly state: AccountState | undefined
}

/**
 * The accounts to work on. A broker without a registered account may still have secrets from an older set-up.
 */
async function* accountsOf(
  request: RunRequest,
  ports: Ports,
  onFound: (account: AccountId) => void,
): AsyncIterable<Entry> {
  const { accounts, broker } = request
  if (accounts !== undefined && accounts.length === 1) {
    const [account] = accounts as [AccountId]
    yield { account, state: await ports.states.get(account) }
    return
  }
  const wanted = accounts && new Set(accounts)
  let registered = 0
  for await (const state of ports.states.list(broker.id)) {
    registered++
    if (wanted === undefined || wanted.delete(state.account)) yield { account: state.account, state }
  }
  if (wanted) for (const account of wanted) yield { account, state: undefined }
  else if (registered === 0) {
    const state = await registerFound(broker, ports)
    if (!state) return
    onFound(state.account)
    yield { account: state.account, state }
  }
}

/** Takes out the account that may be tried first, so that one long wait holds up no other account. */
function takeFirst(retries: Waiting[]): Waiting | undefined {
  retries.sort((a, b) => Temporal.Instant.compare(a.notBefore, b.notBefore))
  return retries.shift()
}

/** Exponential back-off with up to a fifth of jitter, so that many accounts do not come back in step. */
function growth(attempt: number): number {
  return PAUSE_GROWTH ** (attempt - 1) * (1 + Math.random() * 0.2)
}

/** Sorted by account, in whatever order the work ended, so that reports can be compared. */
function inOrder(results: ReadonlyMap<AccountId, AccountResult>): readonly AccountResult[] {
  return [...results.values()].toSorted((a, b) => (a.account < b.account ? -1 : 1))
}
