import type { Temporal } from 'temporal-polyfill'
import type { AccountState } from '../../../model/account-state.ts'
import { type AccountResult, isSuccess } from '../../../model/outcome.ts'
import { localInstant } from '../../../model/time/local-time.ts'
import type { Broker } from '../../../ports/broker/broker.ts'
import { dueAt } from '../token/due.ts'
import { isLive } from '../token/token-status.ts'
import type { RunResult } from './run-result.ts'

/** One account's line of the report, from how its run ended and what is recorded. Pure. */
export function reportLine(
  broker: Broker,
  state: AccountState,
  result: RunResult,
  now: Temporal.Instant,
): AccountResult {
  const { timeZone } = broker.session
  const expiresAt = state.accessToken?.expiresAt
  return {
    success: isSuccess(result.outcome),
    account: state.account,
    userID: state.userId ?? null,
    clientName: state.clientName ?? null,
    outcome: result.outcome,
    ...(result.code && { code: result.code }),
    reason: result.reason,
    live: isExternal(state) ? null : isLive(state, now),
    tokenValidity: expiresAt?.toString({ timeZone, smallestUnit: 'second' }) ?? null,
    nextAction: nextActionAfter(broker, state, result),
    ...(result.loginHelpsFrom && {
      loginHelpsFrom: result.loginHelpsFrom.toString({ timeZone, smallestUnit: 'second' }),
    }),
  }
}

function isExternal({ settings }: AccountState): boolean {
  return settings.managedBy === 'external'
}

/** What will happen next or what somebody has to do, in words. Pure. */
export function nextActionAfter(broker: Broker, state: AccountState, result: RunResult): string {
  const local = (instant: Temporal.Instant): string => localInstant(instant, broker.session.timeZone)
  switch (result.outcome) {
    case 'fresh':
    case 'refreshed': {
      const token = state.accessToken
      if (!token) return 'the next run looks again'
      return `renewal due ${local(dueAt(token, broker.session, state.settings))}`
    }
    case 'paused':
      return 'resume it when it is wanted again'
    case 'skipped':
      if (result.loginHelpsFrom && result.fix) return result.fix
      return isExternal(state)
        ? 'nothing to do here'
        : 'look again in a moment: the other run says how it ended'
    default: {
      if (!result.retryAt) return result.fix || 'the next run tries again'
      // A full disk, a proxy or a certificate needs somebody, although it is tried again: its fix is told
      // too.
      const passes = /^(nothing to do|wait )/.test(result.fix ?? '')
      const needed = result.fix && !passes ? `${result.fix}; ` : ''
      return `${needed}tried again from ${local(result.retryAt)}`
    }
  }
}
