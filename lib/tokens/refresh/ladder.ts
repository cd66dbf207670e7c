import { isRefused } from '../../model/account-state.ts'
import { RateLimitedError } from '../../model/errors.ts'
import { isAfter } from '../../model/time/instants.ts'
import { localInstant } from '../../model/time/local-time.ts'
import { isWorthKeeping } from '../../model/worth-keeping.ts'
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

/** What whoever asked for the run wants. */
export type Wishes = Pick<Situation, 'forcedAt' | 'reported'>

/**
 * Follows the ladder of grants from `first` down until one of its steps ends the run; what they found is noted. Never
 * throws.
 */
export async function climbLadder(tx: Transaction, wishes: Wishes, first: Decision): Promise<RunResult> {
  const { account, broker, ports } = tx
  let decision = first
  try {
    await withoutLeftovers(tx)
    // Each round ends the run, uses up one grant or settles one probe; one more round is needed to say so.
    for (let round = 0; round < broker.grants.length + 3; round++) {
      const result = await take(tx, decision)
      if (result) return result
      decision = decideUnderLease(tx, wishes)
      if (decision.action === 'refresh') {
        await tx.write(beforeAttempt(broker, decision.grant, tx.state, tx.stored, ports.clock.now()))
      }
    }
  } catch (error) {
    // What an earlier grant left behind, such as a block, is recorded all the same; and so is a wait the probe met.
    if (error instanceof RateLimitedError) tx.note(leftAlone(error, ports.clock.now()))
    return resultOfError(error, account, ports.clock.now())
  }
  return stopUntilFixed('response_unexpected', 'the ladder of grants has no end', 'report it')
}

/** One step; how the run ends with it, or `undefined` where it is to be decided anew. */
async function take(tx: Transaction, decision: Decision): Promise<RunResult | undefined> {
  switch (decision.action) {
    case 'probe':
      tx.note(await probe(tx))
      return undefined
    case 'publish_pending': {
      const tried = await publishPending(tx)
      if (tried.published) return { outcome: 'refreshed', reason: decision.reason }
      if (tx.state.pending) return endOfKept(tx, tried.error)
      // This run was begun without it.
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

/** How a run ends by a grant after which no other is tried; `undefined` where one is after all. */
async function endOfGrant(tx: Transaction, grant: Grant, error: unknown): Promise<RunResult | undefined> {
  tx.note(await settleDoubt(tx))
  const result = resultOfGrantError(error, tx.account, tx.ports.clock.now())
  // The lost reply has ended the published token: whoever else can help is next.
  if (result.outcome === 'ambiguous' && isRefused(tx.state)) return undefined
  return withinBudget(result, grant, tx)
}

/**
 * No repeat before the login budget allows one: it would only end in waiting, and hide what really happened. And the
 * day's last attempt is kept for a later run: what has failed since a minute ago may pass in half an hour.
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

/** One attempt with one grant: get a token, then take it to the consumers. */
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
      // Its fate is known: the grant gave this token.
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
      // A stored token of somebody else's that proved live is news to the consumers.
      return { outcome: publications.length > 0 ? 'refreshed' : 'fresh', reason: decision.reason }
    case 'paused':
      return { outcome: 'paused', reason: decision.reason }
    case 'skip':
      return { outcome: 'skipped', reason: decision.reason }
  }
}

/** A renewal is due but must wait; as long as the published token lives that is no failure. */
export function waiting(decision: Extract<Decision, { action: 'wait' }>, { session }: Broker): RunResult {
  const until = localInstant(decision.until, session.timeZone)
  const reason = `${decision.reason}; next attempt not before ${until}`
  if (decision.live) return { outcome: 'fresh', reason, retryAt: decision.until }
  return { outcome: 'failed', code: 'rate_limited', reason, retryAt: decision.until }
}

/** Our own lease is no reason to leave the account alone. */
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
