import { isRefused } from '../../model/account-state.ts'
import { RateLimitedError } from '../../model/errors.ts'
import { isWorthKeeping } from '../../model/secrets/worth-keeping.ts'
import { isAfter } from '../../model/time/instants.ts'
import { localInstant } from '../../model/time/local-time.ts'
import type { Broker, Grant } from '../../ports/broker/broker.ts'
import type { Renewal } from '../../ports/broker/broker-context.ts'
import { decide } from '../rules/decide/decide.ts'
import type { Decision, Situation } from '../rules/decide/decision.ts'
import { beforeAttempt, leftAlone, tracesOfFailure } from '../rules/grants/attempt.ts'
import { attemptAllowedAt, attemptsLeftToday } from '../rules/grants/budget.ts'
import { liftedByGrant } from '../rules/grants/lifted.ts'
import { countedSecrets } from '../rules/grants/lockout.ts'
import {
  askForLogin,
  askLater,
  leavesRoomForNextGrant,
  type RunResult,
  resultOfError,
  resultOfGrantError,
  stopUntilFixed,
} from '../rules/outcome/run-result.ts'
import type { Transaction } from '../transaction/transaction.ts'
import { keepPending } from './pending.ts'
import { probe, settleDoubt } from './probe.ts'
import { saveProvePublish } from './publish.ts'
import { endOfKept, endOfSaved, publishPending, withoutLeftovers } from './publish-pending.ts'
import type { Tried } from './tried.ts'

/** What the caller of the run asks for: a forced renewal, or a look at a reported token. */
export type Wishes = Pick<Situation, 'forcedAt' | 'reported'>

/**
 * Follows the ladder of grants from the step `first` on, until a step ends the run. What the steps found is
 * noted. Never throws.
 */
export async function climbLadder(tx: Transaction, wishes: Wishes, first: Decision): Promise<RunResult> {
  const { account, broker, ports } = tx
  let decision = first
  try {
    await withoutLeftovers(tx)
    // Each round ends the run, uses up one grant or settles one probe; one more round tells that none is
    // left.
    for (let round = 0; round < broker.grants.length + 3; round++) {
      const result = await take(tx, decision)
      if (result) return result
      decision = decideUnderLease(tx, wishes)
      if (decision.action === 'refresh') {
        await tx.write(beforeAttempt(broker, decision.grant, tx.state, tx.stored, ports.clock.now()))
      }
    }
  } catch (error) {
    // What earlier steps noted, such as a block, is recorded all the same; a wait that a probe was asked for
    // is noted here.
    if (error instanceof RateLimitedError) tx.note(leftAlone(error, ports.clock.now()))
    return resultOfError(error, account, ports.clock.now())
  }
  return stopUntilFixed('response_unexpected', 'the ladder of grants has no end', 'report it')
}

/** Takes one step. Returns how the run ends, or `undefined` where the next step has to be decided. */
async function take(tx: Transaction, decision: Decision): Promise<RunResult | undefined> {
  switch (decision.action) {
    case 'probe':
      tx.note(await probe(tx))
      return undefined
    case 'publish_pending': {
      const tried = await publishPending(tx)
      if (tried.published) return { outcome: 'refreshed', reason: decision.reason }
      if (tx.state.pending) return endOfKept(tx, tried.error)
      // A refresh token was saved that this run has not read, so the run ends; the next try uses it.
      return tried.hasSaved ? endOfSaved(tx) : undefined
    }
    case 'refresh': {
      const tried = await tryGrant(tx, decision.grant)
      if (tried.published) return { outcome: 'refreshed', reason: decision.reason }
      if (tx.state.pending) return endOfKept(tx, tried.error)
      return leavesRoomForNextGrant(tried.error) ? undefined : endOfGrant(tx, decision.grant, tried.error)
    }
    default:
      return endOf(tx, decision)
  }
}

/**
 * How a run ends after a failed grant that lets no other follow; `undefined` where another one may follow
 * after all.
 */
async function endOfGrant(tx: Transaction, grant: Grant, error: unknown): Promise<RunResult | undefined> {
  tx.note(await settleDoubt(tx))
  const result = resultOfGrantError(error, tx.account, tx.ports.clock.now())
  // The grant whose reply was lost has ended the published token: the next grant, or a person, has to help.
  if (result.outcome === 'ambiguous' && isRefused(tx.state)) return undefined
  return withinBudget(result, grant, tx)
}

/**
 * Moves a repeat to when the login budget allows it: before that it would only wait, and its reason would
 * hide the real one. Drops the repeat where it would use the day's last attempt, which is left to a later
 * run: a fault that lasts a minute may pass in half an hour.
 */
function withinBudget(result: RunResult, grant: Grant, { broker, ports, state }: Transaction): RunResult {
  const { retryAt, ...withoutRetry } = result
  if (!retryAt) return result
  const { timeZone } = broker.session
  const now = ports.clock.now()
  if (attemptsLeftToday(grant.budget, state, timeZone, now) <= 1) return withoutRetry
  const hold = attemptAllowedAt(grant.budget, state, timeZone, now)
  const waits = hold && isAfter(hold.at, retryAt)
  return waits ? { ...result, retryAt: hold.at } : result
}

/** Makes one attempt with one grant: gets a token, proves and publishes it. Errors are returned. */
async function tryGrant(tx: Transaction, grant: Grant): Promise<Tried> {
  const { broker, context, ports } = tx
  const before = tx.state
  let minted: Renewal | undefined
  try {
    minted = await grant.renew(context)
    await saveProvePublish(tx, { renewal: minted, source: grant.kind })
    tx.note(liftedByGrant(broker, grant.kind, before))
    return { published: true }
  } catch (error) {
    const failure = {
      error,
      minted: minted !== undefined,
      counted: [...countedSecrets(broker, grant).keys()],
      used: context,
      grant,
      timeZone: broker.session.timeZone,
      at: ports.clock.now(),
    }
    tx.note(tracesOfFailure(failure, before, tx.stored))
    if (minted && isWorthKeeping(error)) {
      await keepPending(tx, { renewal: minted, source: grant.kind })
      // The fate of the ambiguous grant is known now: it gave this token.
      if (before.ambiguous?.grant === grant.kind) tx.note({ ambiguous: undefined })
    }
    return { published: false, error }
  }
}

function endOf(
  { account, broker, publications }: Transaction,
  decision: Exclude<Decision, { action: 'probe' | 'publish_pending' | 'refresh' }>,
): RunResult {
  switch (decision.action) {
    case 'ask':
      return askForLogin(broker, account, decision.reason)
    case 'ask_later':
      return askLater(broker, account, decision.reason, decision.from)
    case 'stop':
      return stopUntilFixed(decision.code, decision.reason, decision.fix)
    case 'wait':
      return waiting(decision, broker)
    case 'fresh':
      // A token that somebody else stored and that was just proven is new to the consumers.
      return { outcome: publications.length > 0 ? 'refreshed' : 'fresh', reason: decision.reason }
    case 'paused':
      return { outcome: 'paused', reason: decision.reason }
    case 'skip':
      return { outcome: 'skipped', reason: decision.reason }
  }
}

/** How a run ends where a renewal is due but must wait: no failure as long as the published token lives. */
export function waiting(decision: Extract<Decision, { action: 'wait' }>, { session }: Broker): RunResult {
  const until = localInstant(decision.until, session.timeZone)
  const reason = `${decision.reason}; next attempt not before ${until}`
  if (decision.live) return { outcome: 'fresh', reason, retryAt: decision.until }
  return { outcome: 'failed', code: 'rate_limited', reason, retryAt: decision.until }
}

/** Decides again, without our own lease in the record: it is no reason to leave the account alone. */
function decideUnderLease(tx: Transaction, { forcedAt, reported }: Wishes): Decision {
  const { broker, ports, stored } = tx
  const { lease: _ours, ...state } = tx.state
  return decide({
    broker,
    state,
    stored,
    forcedAt,
    reported,
    hosts: ports.hosts,
    now: ports.clock.now(),
  })
}
