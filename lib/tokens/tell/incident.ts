import type { Temporal } from 'temporal-polyfill'
import { REMIND_MINUTES_BEFORE_OPEN } from '../../markets/reminders.ts'
import { sessionOf } from '../../markets/session.ts'
import { loginDeadline, presentTradingDay } from '../../markets/trading-day.ts'
import type { AccountState, Incident } from '../../model/account-state.ts'
import { maskSecrets } from '../../model/secrets/secret.ts'
import { isFromTheFuture } from '../../model/time/clock-tolerance.ts'
import { isAfter, isBefore } from '../../model/time/instants.ts'
import { localInstant } from '../../model/time/local-time.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Alert } from '../../ports/notifier.ts'
import type { Ports } from '../../ports/ports.ts'
import type { ActionNeeded } from '../rules/outcome/action-needed.ts'
import { loginHelpsFrom } from '../rules/token/login-helps.ts'

const TITLES: Readonly<Record<Incident['kind'], (account: string) => string>> = {
  login_needed: (account) => `Log in: ${account}`,
  human_action: (account) => `Your action is needed: ${account}`,
  operator_action: (account) => `Set-up needs a correction: ${account}`,
  token_lost: (account) => `Refresh token lost, log in again: ${account}`,
}

/**
 * The open incident about which a person was told, where that message covers `kind` too; `undefined`
 * otherwise. A message about a lost refresh token also asks for a login.
 */
export function toldIncident({ incident }: AccountState, kind: Incident['kind']): Incident | undefined {
  if (!incident?.toldAt || incident.overAt) return undefined
  const covered = incident.kind === 'token_lost' && kind === 'login_needed'
  return incident.kind === kind || covered ? incident : undefined
}

/**
 * Tells a person once per incident, reminds them, and tells once when it is over; returns the incident to
 * record. A message that could not be delivered is repeated by the next run, since the incident is recorded
 * without `toldAt`, or with `overAt`. Never throws.
 */
export async function tell(
  broker: Broker,
  state: AccountState,
  need: ActionNeeded | undefined,
  ports: Ports,
): Promise<Incident | undefined> {
  const open = state.incident
  const now = ports.clock.now()
  if (need === undefined) {
    if (!open?.toldAt) return undefined
    if (isStillNeeded(broker, state, open, now)) return open
    const said = await deliver(await alertFor(broker, state, open.id, { kind: 'solved' }, ports), ports)
    return said ? undefined : { ...open, overAt: open.overAt ?? now }
  }
  const told = toldIncident(state, need.kind)
  if (told) {
    if (!isReminderDue(broker, state, told, now)) return told
    const reminded = await deliver(await alertFor(broker, state, told.id, need, ports, 'reminder'), ports)
    return reminded ? { ...told, remindedAt: now } : told
  }
  const incident: Incident =
    open?.kind === need.kind && !open.overAt
      ? open
      : { id: `${state.account}@${now.toString({ smallestUnit: 'second' })}`, kind: need.kind, openedAt: now }
  const said = await deliver(await alertFor(broker, state, incident.id, need, ports), ports)
  return said ? { ...incident, toldAt: now } : incident
}

/**
 * Whether a login is still needed although a token was published, because that token dies before the market
 * opens.
 */
function isStillNeeded(
  broker: Broker,
  state: AccountState,
  { kind, overAt }: Incident,
  now: Temporal.Instant,
): boolean {
  const session = sessionOf(broker, state.settings)
  const { accessToken } = state
  if (kind !== 'login_needed' || overAt || !session || !accessToken) return false
  const { opens } = presentTradingDay(session, now)
  const isShort = !isAfter(accessToken.expiresAt, opens)
  return isShort && !loginHelpsFrom(broker, state, now)
}

/**
 * Whether a person is to be reminded: one of the broker's reminder times before today's open has passed since
 * the last message, and the market has not closed yet. Pure.
 */
export function isReminderDue(
  broker: Broker,
  { settings }: Pick<AccountState, 'settings'>,
  { toldAt, remindedAt }: Incident,
  now: Temporal.Instant,
): boolean {
  const { remindMinutesBeforeOpen = REMIND_MINUTES_BEFORE_OPEN } = broker
  const session = sessionOf(broker, settings)
  const last = remindedAt ?? toldAt
  if (!session || !last) return false
  const { opens } = presentTradingDay(session, now)
  return remindMinutesBeforeOpen.some((minutes) => {
    const step = opens.subtract({ minutes })
    // A message in the future was noted by a clock that was ahead: it was sent some time ago.
    const isSince = isFromTheFuture(last, now) || isBefore(last, step)
    return !isAfter(step, now) && isSince
  })
}

async function alertFor(
  broker: Broker,
  state: AccountState,
  incident: string,
  need: ActionNeeded | { kind: 'solved' },
  ports: Ports,
  again?: 'reminder',
): Promise<Alert> {
  const accountName = state.settings.nickname ?? state.account
  const named = `${broker.displayName} ${accountName}`
  const { timeZone } = broker.session
  const common = { account: state.account, broker: broker.id, accountName, incident }
  if (need.kind === 'solved') {
    const until = state.accessToken && localInstant(state.accessToken.expiresAt, timeZone)
    return {
      ...common,
      kind: 'solved',
      severity: 'info',
      title: `Solved: ${named}`,
      reason: `The access token is proven live again${until === undefined ? '' : `, valid until ${until}`}.`,
      action: 'Nothing to do.',
    }
  }
  const opens = loginDeadline(sessionOf(broker, state.settings), ports.clock.now())
  const deadline = opens?.toZonedDateTimeISO(timeZone)
  // A lost refresh token is told at any hour, so that the login is not forgotten; other messages come when a
  // login helps.
  const early = need.kind === 'token_lost' && loginHelpsFrom(broker, state, ports.clock.now())
  const from = early ? `; a login helps from ${localInstant(early, timeZone)}` : ''
  const link = await linkFor(state, incident, ports)
  const title = TITLES[need.kind](named)
  return {
    ...common,
    kind: need.kind,
    severity: need.kind === 'token_lost' ? 'page' : 'action',
    title: `${again ? 'Still open: ' : ''}${title}${opens === undefined ? '' : ` before ${localInstant(opens, timeZone)}`}`,
    reason: maskSecrets(need.reason),
    action: maskSecrets(need.action) + from,
    ...(deadline !== undefined && { deadline }),
    ...(link !== undefined && { link }),
  }
}

/**
 * The link for the message; `undefined` where it could not be made, since a message without a link is better
 * than none.
 */
async function linkFor(
  { account }: AccountState,
  incident: string,
  ports: Ports,
): Promise<string | undefined> {
  try {
    return await ports.links?.forIncident(account, incident)
  } catch (error) {
    const reason = maskSecrets(error instanceof Error ? error.message : 'unknown')
    ports.telemetry.warn('the link to the login page could not be made', { account, reason })
    return undefined
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
