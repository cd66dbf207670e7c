import type { Temporal } from 'temporal-polyfill'
import { sessionOf } from '../../markets/session.ts'
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
 * The approval that a run requests when it asks a person; `undefined` where none is due. Due from the
 * configured time of a trading day on, once a day, once its token would live past the open, and only where
 * the account's user is known, since nobody signs the answer. Pure.
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
  const session = sessionOf(broker, state.settings)
  if (isAfter(from, now) || (session && !session.on(local.toPlainDate()))) return undefined
  if (loginHelpsFrom(broker, state, now)) return undefined
  const attempts = (state.approvalRequests ?? []).filter((at) => !isFromTheFuture(at, now))
  if (attempts.some((at) => !isAfter(from, at))) return undefined
  const hold = attemptAllowedAt(approval.budget, { ...loginHold(state), attempts }, timeZone, now)
  return hold ? undefined : approval
}

/**
 * What is recorded before the request is sent: the request counts, and the approval may come before the
 * reply. Pure.
 */
export function beforeApproval(
  broker: Pick<Broker, 'sessions'>,
  { waitSeconds, openAtMost }: PushApproval,
  state: AccountState,
  now: Temporal.Instant,
): StateChanges {
  // If the reply is lost, the holder may have been asked; an approval given late still ends the published
  // token.
  const openUntil = openAtMost?.(now) ?? now.add({ seconds: waitSeconds })
  const earlier = openRequests(state.approval, now)
  return {
    // Earlier requests may still be approved, and the broker posts those tokens too (I10).
    approval: { requestedAt: now, openUntil, tried: 0, ...(earlier.length > 0 && { earlier }) },
    approvalRequests: withAttempt(state.approvalRequests ?? [], now),
    ...noteDoubt(broker, state, { by: 'approval', at: now, openUntil }),
  }
}

/** The fields of the record that {@link beforeApproval} replaces. */
export type BeforeApproval = Pick<AccountState, 'approval' | 'doubt'>

/** What a request for approval leaves to be recorded. */
export interface ApprovalSent {
  readonly changes: StateChanges
  /** Why the holder was not asked; absent where they were or may have been. */
  readonly error?: unknown
}

/**
 * Has the broker ask the account holder. `state` is the record with {@link beforeApproval} written, `before`
 * the record without it. Errors of the broker are returned, with what to record; nothing is repeated.
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
    // The broker's times are by its own clock.
    const driftSeconds = Math.floor((context.brokerDriftMs() ?? 0) / 1000)
    const openUntil = requested.openUntil.subtract({ seconds: driftSeconds })
    const asked = { ...approval, ...(driftSeconds !== 0 && { driftSeconds }) }
    // An end in the past cannot be right: the holder has only just been asked.
    if (!isAfter(openUntil, approval.requestedAt)) return { changes: { approval: asked } }
    const doubt = state.doubt && {
      ...state.doubt,
      openUntil: latest(before.doubt?.openUntil, openUntil) ?? openUntil,
    }
    return { changes: { approval: { ...asked, openUntil }, ...(doubt && { doubt }) } }
  } catch (error) {
    // The holder may have been asked; a reply that cannot be read may be a success in new words. The webhook
    // stays open.
    if (error instanceof AmbiguousError || error instanceof UnexpectedResponseError) return { changes: {} }
    const isUnsent = error instanceof BrokerUnavailableError && !error.sent
    const refused = gaveNothing(error) ? { doubt: before.doubt } : {}
    return { error, changes: isUnsent ? unsent(state, before) : { approval: before.approval, ...refused } }
  }
}

/** Takes back what {@link beforeApproval} recorded, where the broker was not asked at all. Pure. */
export function unsent(
  { approvalRequests = [] }: AccountState,
  { approval, doubt }: BeforeApproval,
): StateChanges {
  return { approval, approvalRequests: approvalRequests.slice(0, -1), doubt }
}
