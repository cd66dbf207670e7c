import { Temporal } from 'temporal-polyfill'
import { localInstant } from '../local-time.ts'
import type { Broker, Grant } from '../ports/broker.ts'
import type { Ports } from '../ports/ports.ts'
import type { StoredSecrets } from '../ports/token-vault.ts'
import type { AccountState, StateChanges } from './account-state.ts'
import type { RunContext } from './broker-context.ts'
import { attemptAllowedAt, attemptsLeftToday } from './budget.ts'
import { type Decision, decide, type RefusedToken } from './decide.ts'
import {
  askForLogin,
  beforeAttempt,
  type Ending,
  endingOfError,
  leavesRoomForNextGrant,
  notBefore,
  stopUntilFixed,
  tracesOfFailure,
} from './ending.ts'
import { GrantRejectedError, RateLimitedError, TokenkeeperError, WrongAccountError } from './errors.ts'
import type { Lease } from './lease.ts'
import { LIFTED_BY_A_GRANT, provePublish, proveStored, saveRotated } from './publish.ts'

/** One account's work under its lease. */
export interface Climb {
  readonly broker: Broker
  readonly lease: Lease
  readonly stored: StoredSecrets
  readonly context: RunContext
  readonly forcedAt: Temporal.Instant | undefined
  readonly refused: RefusedToken | undefined
  readonly ports: Ports
}

export interface Climbed {
  readonly ending: Ending
  /** What to record beside the ending. */
  readonly changes: StateChanges
}

/** Follows the ladder of grants from `first` down until one of its steps ends the run. Never throws. */
export async function climbLadder(climb: Climb, first: Decision): Promise<Climbed> {
  const { broker, ports } = climb
  let decision = first
  let changes: StateChanges = {}
  const now = (): AccountState => ({ ...climb.lease.state, ...(changes as Partial<AccountState>) })

  try {
    // Each round ends the run, uses up one grant or settles one probe; one more round is needed to say so.
    for (let round = 0; round < broker.grants.length + 3; round++) {
      switch (decision.action) {
        case 'probe':
          changes = { ...changes, ...(await probe(climb, now())) }
          break
        case 'refresh': {
          const tried = await tryGrant(climb, decision.grant, now())
          changes = { ...changes, ...tried.changes }
          if (tried.published) return { ending: { outcome: 'refreshed', reason: decision.reason }, changes }
          if (!leavesRoomForNextGrant(tried.error)) {
            const ending = endingOfError(tried.error, climb.lease.state.account, ports.clock.now())
            return { ending: withinBudget(ending, decision.grant, now(), climb), changes }
          }
          break
        }
        default:
          return { ending: endOf(climb, decision, now()), changes }
      }
      decision = decideUnderLease(climb, now())
      if (decision.action === 'refresh') {
        const attempt = beforeAttempt(decision.grant, now(), climb.stored, ports.clock.now())
        await climb.lease.keep({ ...changes, ...attempt })
        changes = {}
      }
    }
  } catch (error) {
    // What an earlier grant left behind, such as a block, is recorded all the same; and so is a wait the probe met.
    if (error instanceof RateLimitedError) {
      changes = { ...changes, notBefore: notBefore(error, ports.clock.now()) }
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
  const waits = hold && Temporal.Instant.compare(hold.at, retryAt) > 0
  return waits ? { ...ending, retryAt: hold.at } : ending
}

type Tried =
  | { readonly published: true; readonly changes: StateChanges }
  | { readonly published: false; readonly changes: StateChanges; readonly error: unknown }

/** One attempt with one grant: get a token, then take it to the consumers. */
async function tryGrant(climb: Climb, grant: Grant, state: AccountState): Promise<Tried> {
  const { broker, context, ports } = climb
  let minted = false
  let saved: StateChanges = {}
  try {
    const renewal = await grant.renew(context)
    minted = true
    saved = await saveRotated(broker, state, renewal, context, ports)
    const found = await provePublish(broker, state, renewal, context, ports, grant.kind)
    return { published: true, changes: { ...saved, ...found, ...LIFTED_BY_A_GRANT } }
  } catch (error) {
    const failure = { error, minted, grant, timeZone: broker.session.timeZone, at: ports.clock.now() }
    return {
      published: false,
      error,
      changes: { ...saved, ...tracesOfFailure(failure, state, climb.stored) },
    }
  }
}

function endOf(
  climb: Climb,
  decision: Exclude<Decision, { action: 'probe' | 'refresh' }>,
  state: AccountState,
): Ending {
  switch (decision.action) {
    case 'ask':
      return askForLogin(climb.broker, state.account, decision.reason)
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

/** Proves the stored access token; either verdict is something to record. Throws what is no verdict on the token. */
async function probe({ broker, stored, context, ports }: Climb, state: AccountState): Promise<StateChanges> {
  const settled: StateChanges = state.ambiguous ? { ambiguous: { ...state.ambiguous, probed: true } } : {}
  try {
    return { ...(await proveStored(broker, state, stored, context, ports)), ...settled }
  } catch (error) {
    if (!(error instanceof TokenkeeperError) || error.retryable) throw error
    const version = stored.get('access_token')?.version
    const isVerdict = error instanceof GrantRejectedError || error instanceof WrongAccountError
    // What we have published and proven is not given up because the broker objects to something else.
    if (version === state.accessToken?.version && !isVerdict) throw error
    ports.telemetry.warn('the stored access token was refused', {
      account: state.account,
      version,
      code: error.code,
    })
    return { ...settled, ...(version !== undefined && { refusedVersion: version }) }
  }
}
