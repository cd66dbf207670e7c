import type { Temporal } from 'temporal-polyfill'
import { isWeekday } from '../../markets/trading-day.ts'
import type { AccountState, StateChanges } from '../../model/account-state.ts'
import { AmbiguousError, BrokerUnavailableError, UnexpectedResponseError } from '../../model/errors.ts'
import { isFromTheFuture } from '../../model/time/clock-tolerance.ts'
import { isAfter } from '../../model/time/instants.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { PushApproval } from '../../ports/broker/login.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import { attemptAllowedAt, loginHold, withAttempt } from '../rules/grants/budget.ts'
import { gaveNothing, noteDoubt } from '../rules/token/doubt.ts'
import { loginHelpsFrom } from '../rules/token/login-helps.ts'
import { latest, openRequests } from '../rules/token/open-approval.ts'
import type { RunContext } from '../transaction/broker-context.ts'

/**
 * Whether a run that must ask a person should have the broker ask too: from the configured time of a trading day
 * on, once a day, once its token would see the market open, and only for an account whose user is known: nobody signs what comes back.
 */
export function approvalDue(
  broker: Broker,
  state: AccountState,
  stored: StoredSecrets,
  now: Temporal.Instant,
): PushApproval | undefined {
  const approval = broker.login?.approval
  if (approval?.at === undefined || state.userId === undefined) return undefined
  if (approval.needs.some((name) => !stored.has(name))) return undefined
  const { timeZone } = broker.session
  const local = now.toZonedDateTimeISO(timeZone)
  const from = local.withPlainTime(approval.at).toInstant()
  if (isAfter(from, now) || (broker.tradingSession && !isWeekday(local.toPlainDate()))) return undefined
  if (loginHelpsFrom(broker, state, now)) return undefined
  const attempts = (state.approvalRequests ?? []).filter((at) => !isFromTheFuture(at, now))
  if (attempts.some((at) => !isAfter(from, at))) return undefined
  const hold = attemptAllowedAt(approval.budget, { ...loginHold(state), attempts }, timeZone, now)
  return hold ? undefined : approval
}

/** What is written down before the request is sent: it counts, and an answer may come faster than the reply. */
export function beforeApproval(
  broker: Pick<Broker, 'sessions'>,
  { waitSeconds, openAtMost }: PushApproval,
  state: AccountState,
  now: Temporal.Instant,
): StateChanges {
  // Should the reply be lost: the holder may have been asked, and what they approve late ends the published token all the same.
  const openUntil = openAtMost?.(now) ?? now.add({ seconds: waitSeconds })
  const earlier = openRequests(state.approval, now)
  return {
    // Whoever was asked before may still approve that, and the broker posts it (I10).
    approval: { requestedAt: now, openUntil, tried: 0, ...(earlier.length > 0 && { earlier }) },
    approvalRequests: withAttempt(state.approvalRequests ?? [], now),
    ...noteDoubt(broker, state, { by: 'approval', at: now, openUntil }),
  }
}

/** What {@link beforeApproval} wrote over. */
export type BeforeApproval = Pick<AccountState, 'approval' | 'doubt'>

export interface ApprovalSent {
  readonly changes: StateChanges
  /** Why the holder was not asked; absent when they were, or may have been. */
  readonly error?: unknown
}

/**
 * Asks the account holder, after {@link beforeApproval} was recorded as `state`; `before` is what there was before
 * that. Never throws.
 */
export async function sendApproval(
  login: PushApproval,
  state: AccountState,
  before: BeforeApproval,
  context: RunContext,
): Promise<ApprovalSent> {
  const { approval } = state
  if (!approval) throw new Error('the request must be on record before it is sent')
  try {
    const requested = await login.request(context)
    // What the broker writes is on its clock.
    const driftSeconds = Math.floor((context.brokerDriftMs() ?? 0) / 1000)
    const openUntil = requested.openUntil.subtract({ seconds: driftSeconds })
    const asked = { ...approval, ...(driftSeconds !== 0 && { driftSeconds }) }
    // An end that has passed is none: the holder is looking at the request now.
    if (!isAfter(openUntil, approval.requestedAt)) return { changes: { approval: asked } }
    const doubt = state.doubt && {
      ...state.doubt,
      openUntil: latest(before.doubt?.openUntil, openUntil) ?? openUntil,
    }
    return { changes: { approval: { ...asked, openUntil }, ...(doubt && { doubt }) } }
  } catch (error) {
    // Perhaps the holder was asked, or was for sure and the broker words its success in a new way: the webhook stays open.
    if (error instanceof AmbiguousError || error instanceof UnexpectedResponseError) return { changes: {} }
    const isUnsent = error instanceof BrokerUnavailableError && !error.sent
    const refused = gaveNothing(error) ? { doubt: before.doubt } : {}
    return { error, changes: isUnsent ? unsent(state, before) : { approval: before.approval, ...refused } }
  }
}

/** Takes back what {@link beforeApproval} recorded: the broker was asked nothing. */
export function unsent(
  { approvalRequests = [] }: AccountState,
  { approval, doubt }: BeforeApproval,
): StateChanges {
  return { approval, approvalRequests: approvalRequests.slice(0, -1), doubt }
}
