import type { Temporal } from 'temporal-polyfill'
import type { AccountState, Incident } from '../model/account-state.ts'
import { isBefore } from '../model/time/instants.ts'
import type { Broker, Grant } from '../ports/broker/broker.ts'
import { isOver } from '../tokens/rules/grants/block.ts'
import { loginHelpsFrom } from '../tokens/rules/token/login-helps.ts'
import { tokenStatus } from '../tokens/rules/token/token-status.ts'
import type { KnownAccount } from './accounts.ts'

/**
 * What would help: a login from the page, a token that is handed in, or an operator who corrects the set-up.
 */
export type RequiredAction = 'login' | 'hand_in' | 'operator'

/** An account that needs a person now, and what would help. */
export interface NeedsPerson extends KnownAccount {
  readonly requiredAction: RequiredAction
}

/** An account that needs a login, but for which it is too early. */
export interface Later extends KnownAccount {
  /** From when on a login helps. */
  readonly from: Temporal.Instant
  /** Whether the page was opened for this very account: then a login is offered all the same. */
  readonly named: boolean
}

/** Which accounts need a person now, and how far today's logins have come. */
export interface Overview {
  readonly needPerson: readonly NeedsPerson[]
  /** Accounts without a token for which a login does not help yet. */
  readonly later: readonly Later[]
  /** Accounts that need nobody. Paused accounts and those managed elsewhere are in no list. */
  readonly covered: readonly KnownAccount[]
  /** How many of the covered accounts a person has logged in to today. */
  readonly done: number
}

/** Sorts the accounts by whether they need a person; the account `first` stands at the top. Pure. */
export function overviewOf(
  known: readonly KnownAccount[],
  now: Temporal.Instant,
  first?: string | null,
): Overview {
  const ours = known.filter(({ state }) => !state.paused && state.settings.managedBy === undefined)
  const needPerson: NeedsPerson[] = []
  const later: Later[] = []
  const covered: KnownAccount[] = []
  for (const one of ours) {
    const { broker, state } = one
    const help = helpFor(broker, state, now)
    const from = help ? undefined : loginLaterFrom(broker, state, now)
    if (help) needPerson.push({ ...one, requiredAction: help })
    else if (from) later.push({ ...one, from, named: state.account === first })
    else covered.push(one)
  }
  const rank = ({ state, requiredAction: help }: NeedsPerson): number =>
    state.account === first ? 0 : help === 'operator' ? 2 : 1
  return {
    needPerson: needPerson.toSorted((a, b) => rank(a) - rank(b)),
    later,
    covered,
    done: covered.filter((one) => isDoneToday(one, now)).length,
  }
}

/**
 * What a person could do for this account now, as far as its record tells; `undefined` where it needs nobody
 * now. Pure.
 */
export function helpFor(
  broker: Broker,
  state: AccountState,
  now: Temporal.Instant,
): RequiredAction | undefined {
  if (!needsSomebody(broker, state, now)) return undefined
  const kind = openIncident(state)?.kind
  if (kind === 'operator_action') return 'operator'
  if (!broker.login || !loginHelpsFrom(broker, state, now)) {
    return broker.login?.code ? 'login' : 'hand_in'
  }
  // A stored secret can be corrected before a login helps.
  return kind === 'human_action' ? 'operator' : undefined
}

/**
 * From when on a login helps an account that has no token and gets none without; `undefined` where a login
 * helps now, or none is needed. Pure.
 */
export function loginLaterFrom(
  broker: Broker,
  state: AccountState,
  now: Temporal.Instant,
): Temporal.Instant | undefined {
  const status = tokenStatus(state, now)
  if (!broker.login || status === 'live' || status === 'unproven') return undefined
  if (helpFor(broker, state, now) || !needsSomebody(broker, state, now)) return undefined
  return loginHelpsFrom(broker, state, now)
}

function needsSomebody(broker: Broker, state: AccountState, now: Temporal.Instant): boolean {
  const { last } = state
  const asked = last?.outcome === 'awaiting_login' || last?.loginHelpsFrom !== undefined
  return asked || openIncident(state) !== undefined || diesWithoutLogin(broker, state, now)
}

/**
 * The incident that is still open; `undefined` where there is none, or only the message that it is over is
 * due.
 */
export function openIncident({ incident }: AccountState): Incident | undefined {
  return incident && !incident.overAt ? incident : undefined
}

/**
 * Whether an approval in the broker's app can be requested; the user must be known, since the answer is
 * compared with it.
 */
export function canBeApproved({ login }: Broker, { userId }: AccountState): boolean {
  return login?.approval !== undefined && userId !== undefined
}

/** Whether an account has no live token and only a login brings one: the next run would only ask. */
function diesWithoutLogin(broker: Broker, state: AccountState, now: Temporal.Instant): boolean {
  const status = tokenStatus(state, now)
  // An unproven token needs no person yet: the next run asks the broker first.
  if (!broker.login?.code || status === 'live' || status === 'unproven') return false
  if (renewsItself(broker, state, now)) return false
  const source = state.accessToken?.source
  if (source === undefined) return broker.grants.length === 0
  return source === 'login' || source === 'approval' || source === 'given'
}

/**
 * Whether the next token comes without a person, as far as the record tells, which does not know the stored
 * secrets: the last one did, or a refresh token is stored that needs nothing else than a login needs too.
 * Pure.
 */
export function renewsItself(broker: Broker, state: AccountState, now: Temporal.Instant): boolean {
  return broker.grants.some((grant) => {
    if (grant.enabled?.(state.settings, broker.hosts) === false) return false
    const block = state.blocks[grant.kind]
    if (block && !isOver(block, now)) return false
    if (grant.kind === 'refresh_token' && !hasRefreshToken(state, now)) return false
    return state.accessToken?.source === grant.kind || isSatisfiedByLogin(grant, broker)
  })
}

function hasRefreshToken({ refreshToken }: AccountState, now: Temporal.Instant): boolean {
  if (!refreshToken) return false
  return refreshToken.expiresAt === undefined || isBefore(now, refreshToken.expiresAt)
}

function isSatisfiedByLogin({ kind, needs }: Grant, { login }: Broker): boolean {
  const known: readonly string[] = ['refresh_token', ...(login?.code?.needs ?? [])]
  return kind === 'refresh_token' && needs.every((name) => known.includes(name))
}

function isDoneToday({ broker, state }: KnownAccount, now: Temporal.Instant): boolean {
  const status = tokenStatus(state, now)
  // A token is unproven while a request for approval is open; nobody has to log in again for that.
  if (!state.authorizedAt || (status !== 'live' && status !== 'unproven')) return false
  const dayOf = (instant: Temporal.Instant): Temporal.PlainDate =>
    instant.toZonedDateTimeISO(broker.session.timeZone).toPlainDate()
  return dayOf(state.authorizedAt).equals(dayOf(now))
}
