import { type AccountState, isRefused, type StateChanges } from '../../model/account-state.ts'
import { RateLimitedError } from '../../model/errors.ts'
import { isAfter } from '../../model/instants.ts'
import { localInstant } from '../../model/local-time.ts'
import { isWorthKeeping } from '../../model/worth-keeping.ts'
import type { Broker, Grant } from '../../ports/broker.ts'
import type { Renewal } from '../../ports/broker-context.ts'
import { attemptAllowedAt, attemptsLeftToday } from '../rules/budget.ts'
import { decide } from '../rules/decide.ts'
import type { Decision } from '../rules/decision.ts'
import {
  askForLogin,
  askLater,
  beforeAttempt,
  type Ending,
  endingOfError,
  endingOfGrant,
  leavesRoomForNextGrant,
  leftAlone,
  stopUntilFixed,
  tracesOfFailure,
} from '../rules/ending.ts'
import { liftedByGrant } from '../rules/lifted.ts'
import { countedSecrets } from '../rules/lockout.ts'
import type { Climb, Tried } from './climb.ts'
import { keepPending } from './pending.ts'
import { probe, settleDoubt } from './probe.ts'
import { provePublish, saveRotated } from './publish.ts'
import { endOfKept, endOfSaved, publishPending, withoutLeftovers } from './publish-pending.ts'

export interface Climbed {
  readonly ending: Ending
  /** What to record beside the ending. */
  readonly changes: StateChanges
}

/** Follows the ladder of grants from `first` down until one of its steps ends the run. Never throws. */
export async function climbLadder(climb: Climb, first: Decision): Promise<Climbed> {
  const { broker, ports } = climb
  let decision = first
  let changes: StateChanges = await withoutLeftovers(climb)
  const now = (): AccountState => ({ ...climb.lease.state, ...(changes as Partial<AccountState>) })

  try {
    // Each round ends the run, uses up one grant or settles one probe; one more round is needed to say so.
    for (let round = 0; round < broker.grants.length + 3; round++) {
      switch (decision.action) {
        case 'probe':
          changes = { ...changes, ...(await probe(climb, now())) }
          break
        case 'publish_pending': {
          const tried = await publishPending(climb, now())
          changes = { ...changes, ...tried.changes }
          if (tried.published) return { ending: { outcome: 'refreshed', reason: decision.reason }, changes }
          if (now().pending) return { ending: endOfKept(climb, tried.error), changes }
          // This run was begun without it.
          if (tried.changes.refreshToken) return { ending: endOfSaved(climb), changes }
          break
        }
        case 'refresh': {
          const tried = await tryGrant(climb, decision.grant, now())
          changes = { ...changes, ...tried.changes }
          if (tried.published) return { ending: { outcome: 'refreshed', reason: decision.reason }, changes }
          if (now().pending) return { ending: endOfKept(climb, tried.error), changes }
          if (!leavesRoomForNextGrant(tried.error)) {
            changes = { ...changes, ...(await settleDoubt(climb, now())) }
            const ending = endingOfGrant(tried.error, climb.lease.state.account, ports.clock.now())
            // The lost reply has ended the published token: whoever else can help is next.
            if (ending.outcome === 'ambiguous' && isRefused(now())) break
            return { ending: withinBudget(ending, decision.grant, now(), climb), changes }
          }
          break
        }
        default:
          return { ending: endOf(climb, decision, now()), changes }
      }
      decision = decideUnderLease(climb, now())
      if (decision.action === 'refresh') {
        const attempt = beforeAttempt(broker, decision.grant, now(), climb.stored, ports.clock.now())
        await climb.lease.keep({ ...changes, ...attempt })
        changes = {}
      }
    }
  } catch (error) {
    // What an earlier grant left behind, such as a block, is recorded all the same; and so is a wait the probe met.
    if (error instanceof RateLimitedError) {
      changes = { ...changes, ...leftAlone(error, ports.clock.now()) }
    }
    return { ending: endingOfError(error, climb.lease.state.account, ports.clock.now()), changes }
  }
  return {
    ending: stopUntilFixed('response_unexpected', 'the ladder of grants has no end', 'report it'),
    changes,
  }
}

/**
 * No repeat before the login budget allows one: it would only end in waiting, and hide what really happened. And the
 * day's last attempt is kept for a later run: what has failed since a minute ago may pass in half an hour.
 */
function withinBudget(ending: Ending, grant: Grant, state: AccountState, { broker, ports }: Climb): Ending {
  const { retryAt, ...withoutRetry } = ending
  if (!retryAt) return ending
  const { timeZone } = broker.session
  const now = ports.clock.now()
  if (attemptsLeftToday(grant.budget, state, timeZone, now) <= 1) return withoutRetry
  const hold = attemptAllowedAt(grant.budget, state, timeZone, now)
  const waits = hold && isAfter(hold.at, retryAt)
  return waits ? { ...ending, retryAt: hold.at } : ending
}

/** One attempt with one grant: get a token, then take it to the consumers. */
async function tryGrant(climb: Climb, grant: Grant, state: AccountState): Promise<Tried> {
  const { broker, context, ports } = climb
  let minted: Renewal | undefined
  let saved: StateChanges = {}
  try {
    const renewal = await grant.renew(context)
    minted = renewal
    saved = await saveRotated(broker, state, renewal, context, ports)
    const found = await provePublish(broker, state, renewal, context, ports, grant.kind)
    const lifted = liftedByGrant(broker, grant.kind, state)
    return { published: true, changes: { ...saved, ...found, ...lifted } }
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
    const changes = { ...saved, ...tracesOfFailure(failure, state, climb.stored) }
    if (!minted || !isWorthKeeping(error)) return { published: false, error, changes }
    const kept = await keepPending({ renewal: minted, source: grant.kind }, climb.lease, changes, ports)
    // Its fate is known: the grant gave this token.
    const isKnown = state.ambiguous?.grant === grant.kind
    return {
      published: false,
      error,
      changes: { ...changes, ...kept, ...(isKnown && { ambiguous: undefined }) },
    }
  }
}

function endOf(
  climb: Climb,
  decision: Exclude<Decision, { action: 'probe' | 'publish_pending' | 'refresh' }>,
  state: AccountState,
): Ending {
  switch (decision.action) {
    case 'ask':
      return askForLogin(climb.broker, state.account, decision.reason)
    case 'ask_later':
      return askLater(climb.broker, state.account, decision.reason, decision.from)
    case 'stop':
      return stopUntilFixed(decision.code, decision.reason, decision.fix)
    case 'wait':
      return waiting(decision, climb.broker)
    case 'fresh':
      // A stored token of somebody else's that proved live is news to the consumers.
      return {
        outcome: state.generation > climb.lease.state.generation ? 'refreshed' : 'fresh',
        reason: decision.reason,
      }
    case 'paused':
      return { outcome: 'paused', reason: decision.reason }
    case 'skip':
      return { outcome: 'skipped', reason: decision.reason }
  }
}

/** A renewal is due but must wait; as long as the published token lives that is no failure. */
export function waiting(decision: Extract<Decision, { action: 'wait' }>, { session }: Broker): Ending {
  const until = localInstant(decision.until, session.timeZone)
  const reason = `${decision.reason}; next attempt not before ${until}`
  if (decision.live) return { outcome: 'fresh', reason, retryAt: decision.until }
  return { outcome: 'failed', code: 'rate_limited', reason, retryAt: decision.until }
}

/** Our own lease is no reason to leave the account alone. */
function decideUnderLease(climb: Climb, state: AccountState): Decision {
  const { lease: _ours, ...free } = state
  const { broker, stored, forcedAt, refused, ports } = climb
  const wishes = { forcedAt, refused }
  return decide({ broker, state: free, stored, ...wishes, hosts: ports.hosts, now: ports.clock.now() })
}
