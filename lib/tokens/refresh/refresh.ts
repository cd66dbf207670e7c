import { isDeepStrictEqual } from 'node:util'
import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import {
  type AccountState,
  newAccountState,
  type RefusedToken,
  type StateChanges,
} from '../../model/account-state.ts'
import { earlier } from '../../model/instants.ts'
import type { AccountResult } from '../../model/outcome.ts'
import { unknownAccount } from '../../model/unknown-account.ts'
import type { Broker } from '../../ports/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import { type Lease, takeLease } from '../lease/lease.ts'
import { readStored } from '../lease/read-stored.ts'
import { untilRecorded } from '../lease/until-recorded.ts'
import { decide } from '../rules/decide.ts'
import type { Decision } from '../rules/decision.ts'
import { beforeAttempt, type Ending, endingOfError } from '../rules/ending.ts'
import { resultOf } from '../rules/result.ts'
import { announce, keep, withdraw } from '../tell/announce.ts'
import { tell, toldIncident } from '../tell/incident.ts'
import { approvalDue, beforeApproval, sendApproval } from './approval-request.ts'
import { brokerContext, type RunContext } from './broker-context.ts'
import { climbLadder } from './ladder.ts'
import { hasLostPending, restingEnding } from './resting.ts'

/** How often one run decides again because somebody else changed the account under it. */
const MOST_DECISIONS = 4
/** How long a run tries to write its outcome down; longer, and the accounts after it get no turn. */
const RECORD_FOR_S = 60
/**
 * How long one account's work may take before its lease ends. A run that is killed keeps the account from the next one
 * no longer than this, however long its process could have lived.
 */
const LEASE_S = 90
/** No broker call is made in the lease's last seconds: what became of it must still be recorded. */
const RECORDING_S = 5

export interface RefreshJob {
  readonly broker: Broker
  readonly account: AccountId
  /** The record as the caller read it; `undefined` for an account that is not registered. */
  readonly state: AccountState | undefined
  /** Set when a person wants a new token although the stored one may be fresh. */
  readonly forcedAt?: Temporal.Instant | undefined
  /** A consumer was refused by the broker with this access token. */
  readonly refused?: RefusedToken | undefined
  /** Names this run; no two runs share it. */
  readonly owner: string
  /** No broker call is made after this instant. */
  readonly deadline: Temporal.Instant
  /** When this process is dead for sure; no lease ends later. */
  readonly leaseUntil: Temporal.Instant
}

export interface Refreshed {
  readonly result: AccountResult
  /** When the same run may usefully try again; absent when only a later run, or nobody, can help. */
  readonly retryAt?: Temporal.Instant
}

/**
 * Makes what should be true of one account true: its access token is proven live, or whoever can help has been
 * asked. Safe to call at any time, twice, or late. Never throws: every ending is a result.
 *
 * The steps: read, decide, lease (and decide again if anything moved), renew, save, prove, publish, tell, record.
 * Telling comes before recording that it was told, so that a crash between them repeats a message rather than
 * swallowing it; what the run found is written down before either.
 */
export async function refreshAccount(job: RefreshJob, ports: Ports): Promise<Refreshed> {
  let state = job.state ?? newAccountState(job.account)
  try {
    for (let round = 0; round < MOST_DECISIONS; round++) {
      const stored = await readStored(ports, job.broker, state)
      if (state.revision === 0 && stored.size === 0) throw unknownAccount(job.account)
      const decision = decide({ ...job, state, stored, hosts: ports.hosts, now: ports.clock.now() })
      const resting = hasLostPending(state, stored, ports.clock.now())
        ? undefined
        : restingEnding(job.broker, decision, state, stored, ports.clock.now())
      if (resting) {
        if (decision.action === 'paused') await withdraw(job.account, ports)
        if (decision.action === 'fresh') await keep(job.broker, state, stored, ports)
        return refreshed(job.broker, state, resting, ports)
      }
      const leased = await takeLease(
        ports.states,
        state,
        {
          owner: job.owner,
          takenAt: ports.clock.now(),
          until: earlier(job.leaseUntil, ports.clock.now().add({ seconds: LEASE_S })),
        },
        attemptOf(job.broker, decision, state, stored, ports),
      )
      if (leased.held) return await work(job, leased.lease, stored, decision, ports)
      state = leased.current ?? newAccountState(job.account)
    }
    const reason = 'the account kept changing while this run looked at it; the next run looks again'
    return refreshed(job.broker, state, { outcome: 'skipped', reason }, ports)
  } catch (error) {
    return refreshed(job.broker, state, endingOfError(error, job.account, ports.clock.now()), ports)
  }
}

/** Everything done while holding the lease, which is given back whatever happens. */
async function work(
  job: RefreshJob,
  lease: Lease,
  stored: StoredSecrets,
  decision: Decision,
  ports: Ports,
): Promise<Refreshed> {
  const { broker, account } = job
  const {
    settings,
    totpStep,
    blocks: blocksBefore,
    lease: { until } = { until: job.leaseUntil },
  } = lease.state
  const deadline = earlier(job.deadline, until.subtract({ seconds: RECORDING_S }))
  const moreTime = async (): Promise<Temporal.Instant> => {
    // Where the record cannot be written either, the refresh token still comes first (I1).
    await lease.extend(job.leaseUntil).catch(() => undefined)
    return job.deadline
  }
  const context = brokerContext({ broker, account, settings, stored, deadline, totpStep, moreTime }, ports)
  const climbed = await climbLadder(
    {
      broker,
      lease,
      stored,
      context,
      forcedAt: job.forcedAt,
      refused: job.refused,
      ports,
    },
    decision,
  )
  const { ending } = climbed
  const again = refusedAgain(blocksBefore, climbed.changes.blocks ?? lease.state.blocks)
  const changes = {
    ...climbed.changes,
    ...(again && { incident: undefined }),
    ...(ending.outcome === 'awaiting_login' &&
      (await askByApproval(job, lease, climbed.changes, stored, context, ports))),
  }
  // A block that is not on record blocks nothing, and telling can take longer than this process has to live.
  if (ending.need && (again || !toldIncident(lease.state, ending.need.kind))) {
    await lease.keep(changes).catch(() => undefined)
  }
  const found: AccountState = { ...lease.state, ...(changes as Partial<AccountState>) }
  const passing = ending.outcome === 'failed' && ending.need === undefined
  const open = passing || ending.outcome === 'ambiguous' || ending.loginHelpsFrom !== undefined
  const incident = open ? found.incident : await tell(broker, found, ending.need, ports)
  const last = {
    at: ports.clock.now(),
    outcome: ending.outcome,
    reason: ending.reason,
    ...(ending.code && { code: ending.code }),
    ...(ending.fix && { fix: ending.fix }),
    ...(ending.loginHelpsFrom && { loginHelpsFrom: ending.loginHelpsFrom }),
  }
  const record = { ...changes, incident, last, totpStep: context.usedTotpStep() }
  const [released] = await Promise.all([
    untilRecorded(() => lease.release(record), recordingEnd(job.deadline, ports), ports.clock),
    announce(context.publications(), ports),
  ])
  if (!released) ports.telemetry.warn('another run took over before the outcome was recorded', { account })
  return refreshed(broker, released ? lease.state : found, ending, ports)
}

/** Has the broker ask the account holder in its own app, where that was configured for now. */
async function askByApproval(
  { broker, account }: RefreshJob,
  lease: Lease,
  changes: StateChanges,
  stored: StoredSecrets,
  context: RunContext,
  ports: Ports,
): Promise<StateChanges> {
  const now = ports.clock.now()
  const found: AccountState = { ...lease.state, ...(changes as Partial<AccountState>) }
  const login = approvalDue(broker, found, stored, now)
  if (!login) return {}
  const failed = (error: unknown): void => {
    const { code, reason } = endingOfError(error, account, now)
    ports.telemetry.warn('the account holder could not be asked in the app', { account, code, reason })
  }
  const noted = beforeApproval(broker, login, found, now)
  try {
    await lease.keep({ ...changes, ...noted })
  } catch (error) {
    // The page and the message still ask; what this run has found must be told and recorded.
    failed(error)
    return {}
  }
  const sent = await sendApproval(login, { ...found, ...(noted as Partial<AccountState>) }, found, context)
  if (sent.error !== undefined) failed(sent.error)
  return { ...noted, ...sent.changes }
}

/** Counted by the write that takes the lease: a crash must not give an attempt back. */
function attemptOf(
  broker: Broker,
  decision: Decision,
  state: AccountState,
  stored: StoredSecrets,
  ports: Ports,
): StateChanges {
  if (decision.action !== 'refresh') return {}
  return beforeAttempt(broker, decision.grant, state, stored, ports.clock.now())
}

/**
 * Whether somebody stored a credential again and the broker refused that as well: news, though the incident is open.
 * A refresh token does not count, since we store it ourselves.
 */
function refusedAgain(before: AccountState['blocks'], after: AccountState['blocks']): boolean {
  const kinds = Object.keys(after) as (keyof AccountState['blocks'])[]
  return kinds.some((kind) => {
    const { refresh_token: _old, ...old } = before[kind]?.stamps ?? {}
    const { refresh_token: _new, ...now } = after[kind]?.stamps ?? {}
    return before[kind] !== undefined && !isDeepStrictEqual(old, now)
  })
}

/** Until when a run tries to write its outcome down. */
function recordingEnd(deadline: Temporal.Instant, { clock }: Ports): Temporal.Instant {
  return earlier(clock.now().add({ seconds: RECORD_FOR_S }), deadline)
}

function refreshed(broker: Broker, state: AccountState, ending: Ending, { clock }: Ports): Refreshed {
  return {
    result: resultOf(broker, state, ending, clock.now()),
    ...(ending.retryAt && { retryAt: ending.retryAt }),
  }
}
