import type { Broker } from '../ports/broker.ts'
import type { Alert } from '../ports/notifier.ts'
import type { Ports } from '../ports/ports.ts'
import type { AccountState, Incident } from './account-state.ts'
import { maskSecrets } from './secret.ts'

/** What a person has to be told, if anything. */
export interface Need {
  readonly kind: Incident['kind']
  readonly reason: string
  readonly action: string
}

const TITLES: Readonly<Record<Incident['kind'], (account: string) => string>> = {
  login_needed: (account) => `Log in: ${account}`,
  human_action: (account) => `Your action is needed: ${account}`,
  operator_action: (account) => `Set-up needs a correction: ${account}`,
  token_lost: (account) => `Refresh token lost, log in again: ${account}`,
}

/** The open incident of which a person knows that it needs `kind`: whoever lost a refresh token was asked to log in. */
export function toldIncident({ incident }: AccountState, kind: Incident['kind']): Incident | undefined {
  if (!incident?.toldAt || incident.overAt) return undefined
  const covered = incident.kind === 'token_lost' && kind === 'login_needed'
  return incident.kind === kind || covered ? incident : undefined
}

/**
 * Tells a person once per incident and once when it is over; returns the incident to record. A message that
 * could not be delivered is tried again by the next run: it is recorded without `toldAt`, or with `overAt`. Never throws.
 */
export async function tell(
  broker: Broker,
  state: AccountState,
  need: Need | undefined,
  ports: Ports,
): Promise<Incident | undefined> {
  const open = state.incident
  const now = ports.clock.now()
  if (need === undefined) {
    if (!open?.toldAt) return undefined
    const said = await deliver(alertFor(broker, state, open.id, { kind: 'solved' }), ports)
    return said ? undefined : { ...open, overAt: open.overAt ?? now }
  }
  const told = toldIncident(state, need.kind)
  if (told) return told
  const incident: Incident =
    open?.kind === need.kind && !open.overAt
      ? open
      : { id: `${state.account}@${now.toString({ smallestUnit: 'second' })}`, kind: need.kind, openedAt: now }
  const said = await deliver(alertFor(broker, state, incident.id, need), ports)
  return said ? { ...incident, toldAt: now } : incident
}

function alertFor(
  broker: Broker,
  state: AccountState,
  incident: string,
  need: Need | { kind: 'solved' },
): Alert {
  const accountName = state.settings.nickname ?? state.account
  const common = { account: state.account, broker: broker.id, accountName, incident }
  if (need.kind === 'solved') {
    return {
      ...common,
      kind: 'solved',
      severity: 'info',
      title: `Solved: ${accountName}`,
      reason: 'The access token is proven live again.',
      action: 'Nothing to do.',
    }
  }
  return {
    ...common,
    kind: need.kind,
    severity: need.kind === 'token_lost' ? 'page' : 'action',
    title: TITLES[need.kind](`${broker.displayName} ${accountName}`),
    reason: maskSecrets(need.reason),
    action: maskSecrets(need.action),
  }
}

async function deliver(alert: Alert, ports: Ports): Promise<boolean> {
  try {
    await ports.notifier.notify(alert)
    return true
  } catch (error) {
    ports.telemetry.count('NotifyFailed', alert.broker)
    ports.telemetry.error('an alert could not be delivered; the next run tries again', {
      account: alert.account,
      kind: alert.kind,
      reason: maskSecrets(error instanceof Error ? error.message : 'unknown'),
    })
    return false
  }
}
