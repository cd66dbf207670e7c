import { isDeepStrictEqual } from 'node:util'
import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import {
  type AccountState,
  newAccountState,
  type ReportedToken,
  type StateChanges,
} from '../../model/account-state.ts'
import type { AccountResult } from '../../model/outcome.ts'
import { earlier } from '../../model/time/instants.ts'
import { unknownAccount } from '../../model/unknown-account.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import { takeLease } from '../lease/lease.ts'
import { readStored } from '../lease/read-stored.ts'
import { decide } from '../rules/decide/decide.ts'
import type { Decision } from '../rules/decide/decision.ts'
import { beforeAttempt } from '../rules/grants/attempt.ts'
import { reportLine } from '../rules/outcome/report-line.ts'
import { type RunResult, resultOfError } from '../rules/outcome/run-result.ts'
import { announceStillCurrent, announceWithdrawn } from '../tell/announce.ts'
import { RUN_LEASE_SECONDS } from '../transaction/times.ts'
import { Transaction } from '../transaction/transaction.ts'
import { type Ended, inTransaction } from '../transaction/under-lease.ts'
import { approvalDue, beforeApproval, sendApproval } from './approval-request.ts'
import { climbLadder } from './ladder.ts'
import { hasLostPending, restingResult } from './resting.ts'

/** How often one run decides anew because the account was changed meanwhile. */
const MOST_DECISIONS = 4
/** What a run does for one account. */
export interface RefreshJob {
  readonly broker: Broker
  readonly account: AccountId
  /** The record as the caller read it; `undefined` for an account that is not registered. */
  readonly state: AccountState | undefined
  /** Set when a person wants a new token although the stored one may be fresh. */
  readonly forcedAt?: Temporal.Instant | undefined
  /** A consumer was refused by the broker with this access token. */
  readonly reported?: ReportedToken | undefined
  /** Names this run; no two runs share it. */
  readonly owner: string
  /** When this process ends for certain; no lease ends later. */
  readonly processEnd: Temporal.Instant
  /**
   * Waits until it is this account's turn to call the broker; false when there is no time left for it. An account that
   * needs no call takes no turn. @default - at once
   */
  readonly turn?: (() => Promise<boolean>) | undefined
}

/** There was no time left for this account: nothing was done. */
export interface NotStarted {
  readonly notStarted: true
}

/** How a run ended for one account. */
export interface Refreshed {
  readonly result: AccountResult
  /** When the same run may try again; absent where only a later run, or nobody, can help. */
  readonly retryAt?: Temporal.Instant
}

/**
 * Renews one account where needed: in the end its access token is proven live, or a person who can help was
 * asked. Safe to call at any time, twice, or late. Never throws: every end is a result.
 *
 * The steps: read, decide, lease (and decide again if the record changed), renew, save, prove, publish, tell,
 * record. A person is told before it is recorded that they were told, so that a crash between the two repeats
 * a message instead of losing it; what the run found is recorded before both.
 */
export async function refreshAccount(job: RefreshJob, ports: Ports): Promise<Refreshed | NotStarted> {
  let state = job.state ?? newAccountState(job.account)
  try {
    for (let round = 0; round < MOST_DECISIONS; round++) {
      const stored = await readStored(ports, job.broker, state)
      if (state.revision === 0 && stored.size === 0) throw unknownAccount(job.account)
      const decision = decide({ ...job, state, stored, hosts: ports.hosts, now: ports.clock.now() })
      const resting = hasLostPending(state, stored, ports.clock.now())
        ? undefined
        : restingResult(job.broker, decision, state, stored, ports.clock.now())
      if (resting) {
        if (decision.action === 'paused') await announceWithdrawn(job.account, ports)
        if (decision.action === 'fresh') await announceStillCurrent(job.broker, state, stored, ports)
        return refreshed(job.broker, state, resting, ports)
      }
      if (round === 0 && job.turn && !(await job.turn())) return { notStarted: true }
      const leased = await takeLease(
        ports.states,
        state,
        {
          owner: job.owner,
          takenAt: ports.clock.now(),
          until: earlier(job.processEnd, ports.clock.now().add({ seconds: RUN_LEASE_SECONDS })),
        },
        attemptOf(job.broker, decision, state, stored, ports),
      )
      if (leased.held) {
        const { broker, processEnd } = job
        const tx = new Transaction({ broker, lease: leased.lease, processEnd, ports })
        tx.begin(stored)
        return await inTransaction(tx, () => work(tx, job, decision))
      }
      state = leased.current ?? newAccountState(job.account)
    }
    const reason = 'the account kept changing while this run looked at it; the next run looks again'
    return refreshed(job.broker, state, { outcome: 'skipped', reason }, ports)
  } catch (error) {
    return refreshed(job.broker, state, resultOfError(error, job.account, ports.clock.now()), ports)
  }
}

/** Everything that is done under the lease. */
async function work(tx: Transaction, job: RefreshJob, decision: Decision): Promise<Ended<Refreshed>> {
  const { broker, before, ports } = tx
  const result = await climbLadder(tx, job, decision)
  // The open incident is about the credential that was stored before, so a new one begins.
  if (refusedAgain(before.blocks, tx.state.blocks)) tx.note({ incident: undefined })
  if (result.outcome === 'awaiting_login') await askByApproval(tx)
  const passing = result.outcome === 'failed' && result.need === undefined
  const open = passing || result.outcome === 'ambiguous' || result.loginHelpsFrom !== undefined
  return {
    result: refreshed(broker, tx.state, result, ports),
    people: open ? undefined : (result.need ?? 'solved'),
    last: {
      at: ports.clock.now(),
      outcome: result.outcome,
      reason: result.reason,
      ...(result.code && { code: result.code }),
      ...(result.fix && { fix: result.fix }),
      ...(result.loginHelpsFrom && { loginHelpsFrom: result.loginHelpsFrom }),
    },
  }
}

/** Has the broker ask the account holder in its own app, where that is due now. */
async function askByApproval(tx: Transaction): Promise<void> {
  const { account, broker, ports } = tx
  const before = tx.state
  const now = ports.clock.now()
  const login = approvalDue(broker, before, tx.stored, now)
  if (!login) return
  const failed = (error: unknown): void => {
    const { code, reason } = resultOfError(error, account, now)
    ports.telemetry.warn('the account holder could not be asked in the app', { account, code, reason })
  }
  try {
    await tx.write(beforeApproval(broker, login, before, now))
  } catch (error) {
    // The message and the page ask all the same, and what this run found must still be told and recorded.
    return failed(error)
  }
  const sent = await sendApproval(login, tx.state, before, tx.context)
  if (sent.error !== undefined) failed(sent.error)
  tx.note(sent.changes)
}

/**
 * What the write that takes the lease records: the attempt counts before it is made, so that a crash does not
 * give it back.
 */
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
 * Whether somebody stored a credential again and the broker refused that one as well: a person is told
 * although an incident is open. A refresh token does not count, since we store it ourselves.
 */
function refusedAgain(before: AccountState['blocks'], after: AccountState['blocks']): boolean {
  const kinds = Object.keys(after) as (keyof AccountState['blocks'])[]
  return kinds.some((kind) => {
    const { refresh_token: _old, ...old } = before[kind]?.stamps ?? {}
    const { refresh_token: _new, ...now } = after[kind]?.stamps ?? {}
    return before[kind] !== undefined && !isDeepStrictEqual(old, now)
  })
}

function refreshed(broker: Broker, state: AccountState, result: RunResult, { clock }: Ports): Refreshed {
  return {
    result: reportLine(broker, state, result, clock.now()),
    ...(result.retryAt && { retryAt: result.retryAt }),
  }
}
