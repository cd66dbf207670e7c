import type { Temporal } from 'temporal-polyfill'
import {
  type AccountState,
  isRefused,
  type RefusedToken,
  type StateChanges,
} from '../../model/account-state.ts'
import {
  BrokerUnavailableError,
  GrantRejectedError,
  RateLimitedError,
  TokenkeeperError,
  WAIT_FOR_RUN,
} from '../../model/errors.ts'
import { isAfter } from '../../model/instants.ts'
import { localInstant } from '../../model/local-time.ts'
import { isWorthKeeping } from '../../model/worth-keeping.ts'
import type { Broker, Grant, Renewal } from '../../ports/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import type { Lease } from '../lease/lease.ts'
import { attemptAllowedAt, attemptsLeftToday } from '../rules/budget.ts'
import { type Decision, decide } from '../rules/decide.ts'
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
import { LIFTED_BY_A_PERSON, liftedByGrant } from '../rules/lifted.ts'
import { countedSecrets } from '../rules/lockout.ts'
import { answered } from '../rules/open-approval.ts'
import { type Pending, pendingIn } from '../rules/pending-token.ts'
import type { RunContext } from './broker-context.ts'
import { dropPending, keepPending } from './pending.ts'
import { probe, settleDoubt } from './probe.ts'
import { assertSameUser, provePublish, proveWithRepeats, saveRotated } from './publish.ts'

/** One account's work under its lease. */
export interface Climb {
  readonly broker: Broker
  readonly lease: Lease
  stored: StoredSecrets
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

type Tried =
  | { readonly published: true; readonly changes: StateChanges }
  | { readonly published: false; readonly changes: StateChanges; readonly error: unknown }

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

/** Proves and publishes the token an earlier run or login had to keep; one that is refused is gone for good. */
async function publishPending(climb: Climb, state: AccountState): Promise<Tried> {
  const { broker, context, stored, ports } = climb
  const pending = pendingIn(stored, state, ports.clock.now())
  if (!pending) throw new Error('there is no pending token to publish')
  const { renewal, source } = pending
  let saved: StateChanges = {}
  try {
    let proven = renewal
    if (renewal.refreshToken) {
      const proof = await proveWithRepeats(broker, context, renewal.accessToken)
      assertSameUser(state, proof)
      saved = await saveRotated(broker, state, renewal, context, ports)
      // Not asked twice: a broker may allow one probe a minute.
      proven = { ...renewal, proof }
    }
    const kept = { ...state, pending: { mintedAt: renewal.sentAt, source } }
    const found = await provePublish(broker, kept, proven, context, ports, source)
    return { published: true, changes: { ...saved, ...found, ...liftedBy(pending, state, climb) } }
  } catch (error) {
    if (isWorthKeeping(error)) {
      const { mintedAt } = state.pending ?? { mintedAt: renewal.sentAt }
      const wait = error instanceof RateLimitedError && leftAlone(error, ports.clock.now())
      return { published: false, error, changes: { ...saved, ...wait, pending: { mintedAt, source } } }
    }
    ports.telemetry.warn('a minted access token was refused when it was proven', {
      account: state.account,
      code: error instanceof TokenkeeperError ? error.code : 'response_unexpected',
    })
    // Its only copy may be the one kept here. The owner of what it brings is compared, should it be another's after all.
    const isOnly = error instanceof GrantRejectedError && !stored.has('refresh_token')
    if (isOnly) saved = { ...saved, ...(await saveRotated(broker, state, renewal, context, ports)) }
    await dropPending(state.account, ports)
    climb.stored = new Map([...stored].filter(([name]) => name !== 'pending'))
    return { published: false, error, changes: { ...saved, pending: undefined } }
  }
}

/** A token that was kept and is published or gone by now is kept no longer. */
async function withoutLeftovers({ lease, stored, ports }: Climb): Promise<StateChanges> {
  const { state } = lease
  if (pendingIn(stored, state, ports.clock.now())) return {}
  if (stored.has('pending')) await dropPending(state.account, ports)
  return state.pending ? { pending: undefined } : {}
}

function liftedBy({ renewal, source }: Pending, state: AccountState, { broker, ports }: Climb): StateChanges {
  if (source !== 'login' && source !== 'approval') return liftedByGrant(broker, source, state)
  const { approval } = state
  return {
    ...LIFTED_BY_A_PERSON,
    authorizedAt: renewal.sentAt,
    ...(source === 'approval' && approval && { approval: answered(approval, ports.clock.now()) }),
  }
}

/** How a run ends whose token is kept: it is proven again before any other is asked for. */
function endOfKept(climb: Climb, error: unknown): Ending {
  const ending = endingOfError(error, climb.lease.state.account, climb.ports.clock.now())
  const reason = `a new access token was issued and is kept, but could not be published yet: ${ending.reason}`
  return { ...ending, reason, ...(ending.need && { need: { ...ending.need, reason } }) }
}

/** How a run ends whose kept access token has died, and has left a refresh token: it is tried at once. */
function endOfSaved({ lease, ports }: Climb): Ending {
  const died = new BrokerUnavailableError('the kept access token has died, and its refresh token was saved', {
    fix: WAIT_FOR_RUN,
  })
  return endingOfError(died, lease.state.account, ports.clock.now())
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
