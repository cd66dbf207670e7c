import { html } from 'hono/html'
import type { Temporal } from 'temporal-polyfill'
import { statusOf } from '../../accounts/account-status.ts'
import type { KnownAccount } from '../../accounts/accounts.ts'
import {
  canBeApproved,
  type Later,
  type NeedsPerson,
  type Overview,
  openIncident,
} from '../../accounts/needs.ts'
import { nextNeed } from '../../accounts/receipt.ts'
import { sessionOf } from '../../markets/session.ts'
import { presentTradingDay } from '../../markets/trading-day.ts'
import { isRefused } from '../../model/account-state.ts'
import { isBefore } from '../../model/time/instants.ts'
import { timeOn } from '../../model/time/local-time.ts'
import { unprovenSince } from '../../tokens/rules/token/doubt.ts'
import { isApprovalAwaited } from '../../tokens/rules/token/open-approval.ts'
import { isLive, tokenStatus } from '../../tokens/rules/token/token-status.ts'
import type { SiteSession } from '../site-session.ts'
import { counted, forOwner, inWords, titleOf } from './names.ts'
import { actionButton, type Html, type Page, sentence, stateLine, when } from './page.ts'

/** The page of all accounts: which of them need a person, why, by when, and one button each. */
export function loginPage(overview: Overview, session: SiteSession, now: Temporal.Instant): Page {
  const { needPerson, later, covered } = overview
  const title =
    needPerson.length === 0
      ? `Nothing to do${later.length > 0 ? ' yet' : ''}`
      : `${counted(needPerson.length, 'account')} need${needPerson.length === 1 ? 's' : ''} you`
  const body = html`<h1>${title}</h1>
${summary(overview)}
${needPerson.map((one, index) => needCard(one, session, now, index))}
${later.length > 0 && laterList(later, session, now)}
${covered.length > 0 && coveredList(covered, needPerson.length + later.length > 0, now)}`
  return { title, body }
}

/** How far today's logins have come: "1 of 3 done". */
export function progress({ needPerson, done }: Pick<Overview, 'needPerson' | 'done'>): string {
  return `${done} of ${done + needPerson.length} done`
}

function summary(overview: Overview): Html {
  const { needPerson, later, covered, done } = overview
  if (needPerson.length + later.length + covered.length === 0) {
    return html`<p class="lead">No account is set up here yet. Whoever runs this does so with tokenkeeper setup fyers. Then <a href="/login">look again</a>.</p>`
  }
  if (needPerson.length === 0) {
    return html`<p class="lead">No account waits for a person.${done > 0 && ` Today: ${progress(overview)}.`}</p>`
  }
  return html`<p class="lead">${progress(overview)}.${needPerson.some(({ requiredAction }) => requiredAction === 'login') && ' Each button leads to the broker’s own page.'}</p>`
}

function needCard(known: NeedsPerson, session: SiteSession, now: Temporal.Instant, index: number): Html {
  const { state, requiredAction: help } = known
  const id = `account-${index + 1}`
  const words = {
    login: 'Needs your login',
    hand_in: 'Needs a token from you',
    operator: 'Needs a correction of its set-up',
  }[help]
  return html`<section class="card${index === 0 ? ' first' : ''}" aria-labelledby="${id}">
<h2 id="${id}"><bdi>${titleOf(known)}</bdi></h2>
<small>${state.account}</small>
${stateLine('need', words)}
<dl>
<dt>Why</dt><dd>${why(known, now)}</dd>
<dt>By</dt><dd>${deadline(known, now)}</dd>
<dt>Old token</dt><dd>${oldToken(known, now)}</dd>
${whatToDo(known)}
</dl>
${help === 'login' && loginButtons(known, session, now)}
</section>
`
}

/** The buttons to log in, the best way first: in the broker's app where that is possible, else on the web. */
export function loginButtons(known: KnownAccount, session: SiteSession, now: Temporal.Instant): Html {
  const { broker, state } = known
  const { account, approval } = state
  const label = forOwner(`Log in at ${broker.displayName}`, known)
  if (!canBeApproved(broker, state)) return actionButton(session, { account, action: 'start', label })
  if (isApprovalAwaited(approval, now)) {
    return html`<a class="button" href="/waiting/${account}">${forOwner(`Asked in the ${broker.displayName} app`, known)}: approved?</a>
${actionButton(session, { account, action: 'start', label, quiet: true })}`
  }
  const ask = forOwner(`Ask me in the ${broker.displayName} app`, known)
  return html`${actionButton(session, { account, action: 'approve', label: ask })}
${actionButton(session, { account, action: 'start', label, quiet: true })}`
}

function why({ broker, state, requiredAction: help }: NeedsPerson, now: Temporal.Instant): Html | string {
  const { accessToken, last } = state
  if (openIncident(state)?.kind === 'token_lost') {
    return 'Its refresh token was lost: only a login brings a new one.'
  }
  if (needsCorrection(state, help) && last) return sentence(last.reason)
  if (!accessToken) return 'It has no token yet.'
  if (isRefused(state)) return `${broker.displayName} refuses its token.`
  const dies = when(accessToken.expiresAt, broker)
  return tokenStatus(state, now) === 'expired' ? html`Its token died ${dies}.` : html`Its token dies ${dies}.`
}

function deadline({ broker, state }: KnownAccount, now: Temporal.Instant): Html | string {
  const session = sessionOf(broker, state.settings)
  if (!session) return 'As soon as you can.'
  const { date, opens, closes } = presentTradingDay(session, now)
  if (!isBefore(now, opens)) return `Now: the market is open until ${timeOn(closes, date, session.timeZone)}.`
  return html`<strong>${when(opens, broker)}</strong>, ${inWords(now, opens)}`
}

function oldToken({ broker, state }: KnownAccount, now: Temporal.Instant): Html | string {
  const { accessToken } = state
  const status = tokenStatus(state, now)
  const since = unprovenSince(state, now)
  if (since && status === 'unproven') {
    return html`Unproven since ${when(since, broker)}: the next run asks ${broker.displayName}.`
  }
  if (!accessToken || status !== 'live') return 'None that works.'
  return html`Proven ${when(accessToken.provenAt, broker)}, valid until ${when(accessToken.expiresAt, broker)}.`
}

function whatToDo({ state, requiredAction: help }: NeedsPerson): Html | string {
  const { last } = state
  if (!needsCorrection(state, help) || !last?.fix) return ''
  return html`<dt>Do this</dt><dd>${sentence(last.fix)}</dd>`
}

/** Whether something is wrong that a login alone does not put right. */
function needsCorrection(state: NeedsPerson['state'], help: NeedsPerson['requiredAction']): boolean {
  return help !== 'login' || openIncident(state)?.kind === 'human_action'
}

/** Accounts for which it is too early: a login now would give a token that is dead when it is needed. */
function laterList(later: readonly Later[], session: SiteSession, now: Temporal.Instant): Html {
  return html`<section aria-labelledby="later">
<h2 id="later">Too early for a login</h2>
<ul>
${later.map((one) => laterLine(one, session, now))}
</ul>
</section>
`
}

function laterLine({ from, named, ...known }: Later, session: SiteSession, now: Temporal.Instant): Html {
  const { broker, state } = known
  const label = forOwner(`Log in at ${broker.displayName} all the same`, known)
  const button =
    named && broker.login?.code
      ? actionButton(session, { account: state.account, action: 'start', label, quiet: true })
      : ''
  return html`<li><strong><bdi>${titleOf(known)}</bdi></strong>: no token that works. A login helps from ${when(from, broker)}. The token of one now would be dead by ${deadline(known, now)}. ${button}</li>
`
}

function coveredList(covered: readonly KnownAccount[], others: boolean, now: Temporal.Instant): Html {
  return html`<section aria-labelledby="covered">
<h2 id="covered">${others ? 'The others' : 'Your accounts'}</h2>
<ul>
${covered.map((known) => coveredLine(known, now))}
</ul>
</section>`
}

function coveredLine(known: KnownAccount, now: Temporal.Instant): Html {
  const { broker, state } = known
  const { accessToken } = state
  const name = html`<strong><bdi>${titleOf(known)}</bdi></strong>`
  if (!accessToken || !isLive(state, now)) {
    const { summary: words, nextAction } = statusOf(broker, state, now)
    return html`<li>${name}: ${sentence(words)} ${sentence(nextAction)}</li>
`
  }
  return html`<li>${name}: <span class="good"><span aria-hidden="true">✓</span> live</span> until ${when(accessToken.expiresAt, broker)}, ${howItCame(known)}. ${nextNeed(broker, state, now)}</li>
`
}

function howItCame({ broker, state }: KnownAccount): string {
  const person = state.clientName ?? state.userId
  const by = person === undefined ? '' : ` by ${person}`
  switch (state.accessToken?.source) {
    case 'login':
      return `logged in${by}`
    case 'approval':
      return `approved${by} in the ${broker.displayName} app`
    case 'given':
      return 'handed in'
    case 'found':
      return 'found in the vault and proven'
    default:
      return 'renewed by itself'
  }
}
