import { html } from 'hono/html'
import type { Temporal } from 'temporal-polyfill'
import type { KnownAccount } from '../../accounts/accounts.ts'
import type { Overview } from '../../accounts/needs.ts'
import { coverage, nextNeed, oldTokenSentence } from '../../accounts/receipt.ts'
import { sessionOf } from '../../markets/session.ts'
import type { LoginAttempt, LoginResult } from '../../model/account-state.ts'
import { keptLogin } from '../../tokens/rules/token/kept-login.ts'
import type { SiteSession } from '../site-session.ts'
import { loginButtons, progress } from './login-page.ts'
import { forOwner, titleOf } from './names.ts'
import { actionButton, type Html, type Page, sentence, stateLine, when } from './page.ts'

const LOOK_AGAIN_SECONDS = 2
/**
 * Seconds after which a login without a result was interrupted: its lease is over by then (LOGIN in
 * lib/tokens/transaction/times.ts).
 */
const LOST_AFTER_SECONDS = 60

export interface ReceiptView {
  readonly known: KnownAccount
  /** All accounts, to offer the next login. */
  readonly overview: Overview
  readonly session: SiteSession
  readonly now: Temporal.Instant
}

/** The page that tells how one login ended, by the record. Looking at it changes nothing. */
export function receiptPage(attempt: LoginAttempt, view: ReceiptView): Page {
  const { result, usedAt } = attempt
  switch (keptLogin(view.known.state, attempt)) {
    case 'pending':
      return keptPage(view)
    case 'published':
      return successPage(view)
    case 'gone':
      return failurePage(refusedLater(attempt), view)
  }
  if (result) return result.success ? successPage(view) : failurePage(result, view)
  if (!usedAt) return unfinishedPage(view)
  if (usedAt.until(view.now).total('seconds') > LOST_AFTER_SECONDS) return lostPage(view)
  return {
    title: 'One moment',
    refreshSeconds: LOOK_AGAIN_SECONDS,
    body: html`<h1>One moment</h1>
<p role="status">The login of <bdi>${titleOf(view.known)}</bdi> is being proven with the broker. This page looks again by itself.</p>
<p><a href="">Look now</a></p>
${backToAll}`,
  }
}

/**
 * The page of a login that worked: whose account it is, until when the token lives, whether that is enough,
 * what comes next.
 */
export function successPage({ known, overview, session, now }: ReceiptView): Page {
  const { broker, state } = known
  const { accessToken, clientName, userId } = state
  const title = `Done: ${titleOf(known)}`
  const covers = accessToken && coverage(sessionOf(broker, state.settings), accessToken.expiresAt, now)
  const body = html`<h1><bdi>${title}</bdi></h1>
<section class="card">
${stateLine('good', 'Logged in, proven and saved')}
<dl>
<dt>Account</dt><dd><bdi>${[clientName, userId].filter(Boolean).join(', ') || state.account}</bdi></dd>
${accessToken && html`<dt>Valid until</dt><dd>${when(accessToken.expiresAt, broker)}</dd>`}
</dl>
${covers && html`<p class="${covers.covers ? 'good' : 'need'}">${covers.sentence}</p>`}
<p>${nextNeed(broker, state, now)}</p>
</section>
${whatNext(overview, session, now)}`
  return { title, body }
}

function failurePage(result: LoginResult, view: ReceiptView): Page {
  const { known, now } = view
  const { broker, state } = known
  const wrong = result.code === 'wrong_account'
  const title = wrong ? 'Wrong account: nothing was changed' : 'The login did not work'
  const fix = wrong
    ? `Log out at ${broker.displayName} first, then log in again as the right user.`
    : sentence(result.fix ?? '')
  const body = html`<h1>${title}</h1>
<section class="card">
${stateLine('bad', `Not logged in: ${titleOf(known)}`)}
<p>${sentence(result.reason)}</p>
${fix && html`<p><strong>${fix}</strong></p>`}
<p>${oldTokenSentence(broker, state, now)}</p>
${retry(view)}
</section>
${backToAll}`
  return { title, body }
}

/**
 * The page of a login or approval whose token is pending, because the broker does not answer for a moment:
 * nobody has to repeat it.
 */
export function keptPage({ known, session }: Pick<ReceiptView, 'known' | 'session'>): Page {
  const { broker, state } = known
  const title = 'Logged in; the new token is being proven'
  const body = html`<h1>${title}</h1>
<section class="card">
<h2><bdi>${titleOf(known)}</bdi></h2>
<p role="status">${broker.displayName} gave a new token and does not answer the call that proves it. The token is kept: do not log in again. It is published as soon as it is proven; this page looks again by itself.</p>
${actionButton(session, { account: state.account, action: 'prove', label: forOwner('Prove it now', known) })}
</section>
${backToAll}`
  return { title, body, refreshSeconds: LOOK_AGAIN_SECONDS }
}

function refusedLater({ result }: LoginAttempt): LoginResult {
  const at = result?.at as LoginResult['at']
  return {
    success: false,
    at,
    reason: 'the broker refused the new token when it was proven',
    fix: 'log in again',
  }
}

function lostPage(view: ReceiptView): Page {
  const { known, now } = view
  const title = 'The login was interrupted'
  const body = html`<h1>${title}</h1>
<section class="card">
${stateLine('bad', `Nobody knows how it ended: ${titleOf(known)}`)}
<p>The broker gives a code for one use only, so this one counts as spent. Log in again.</p>
<p>${oldTokenSentence(known.broker, known.state, now)}</p>
${retry(view)}
</section>
${backToAll}`
  return { title, body }
}

/** The page of a login from which the broker has not sent the browser back yet. */
function unfinishedPage({ known, session, now }: ReceiptView): Page {
  const title = 'This login is not finished'
  const body = html`<h1>${title}</h1>
<p>Finish it on the page of ${known.broker.displayName}, or begin again.</p>
${loginButtons(known, session, now)}
${backToAll}`
  return { title, body }
}

function retry({ known, session }: ReceiptView): Html {
  const label = forOwner(`Log in at ${known.broker.displayName} again`, known)
  return actionButton(session, { account: known.state.account, action: 'start', label })
}

/** Leads from a finished login to the next account. */
function whatNext(overview: Overview, session: SiteSession, now: Temporal.Instant): Html {
  const next = overview.needPerson.find(({ requiredAction }) => requiredAction === 'login')
  if (!next) {
    const rest = overview.needPerson.length
    return html`<p class="lead">${progress(overview)}.${rest === 0 && ' You can close this page.'}</p>
${backToAll}`
  }
  return html`<section class="card first" aria-labelledby="next">
<h2 id="next">Next: <bdi>${titleOf(next)}</bdi></h2>
<p>${progress(overview)}.</p>
${loginButtons(next, session, now)}
</section>
${backToAll}`
}

export const backToAll = html`<p><a href="/login">All accounts</a></p>`
