import type { Temporal } from 'temporal-polyfill'
import type { AccountState, Incident } from '../../model/account-state.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import type { Decision } from '../rules/decide/decision.ts'
import { isHeld } from '../rules/decide/held.ts'
import { askForLogin, askLater, type RunResult, stopUntilFixed } from '../rules/outcome/run-result.ts'
import { isReminderDue, toldIncident } from '../tell/incident.ts'
import { approvalDue } from './approval-request.ts'
import { waiting } from './ladder.ts'

/**
 * Whether the record has a pending token that the vault has not: a process died between the two writes. Until
 * a run takes the lease and corrects that, people are told to wait for the token. Pure.
 */
export function hasLostPending(
  { pending, lease, paused, settings }: AccountState,
  stored: StoredSecrets,
  now: Temporal.Instant,
): boolean {
  const isOurs = !paused && settings.managedBy === undefined && !(lease && isHeld(lease, now))
  return isOurs && pending !== undefined && !stored.has('pending')
}

/** The result of a run that has nothing to do and nothing to write; `undefined` where it has. Pure. */
export function restingResult(
  broker: Broker,
  decision: Decision,
  state: AccountState,
  stored: StoredSecrets,
  now: Temporal.Instant,
): RunResult | undefined {
  const knows = (kind: Incident['kind']): boolean => {
    const told = toldIncident(state, kind)
    return told !== undefined && !isReminderDue(broker, state, told, now)
  }
  switch (decision.action) {
    case 'fresh':
      return state.incident ? undefined : { outcome: 'fresh', reason: decision.reason }
    case 'skip':
      return { outcome: 'skipped', reason: decision.reason }
    case 'paused':
      return { outcome: 'paused', reason: decision.reason }
    case 'wait':
      return waiting(decision, broker)
    case 'ask':
      return knows('login_needed') && !approvalDue(broker, state, stored, now)
        ? askForLogin(broker, state.account, decision.reason)
        : undefined
    case 'ask_later':
      return state.last?.loginHelpsFrom && askLater(broker, state.account, decision.reason, decision.from)
    case 'stop': {
      const result = stopUntilFixed(decision.code, decision.reason, decision.fix)
      return result.need && knows(result.need.kind) && state.last?.code === decision.code ? result : undefined
    }
    default:
      return undefined
  }
}
