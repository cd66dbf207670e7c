import { html } from 'hono/html'
import type { Temporal } from 'temporal-polyfill'
import type { KnownAccount } from '../../accounts/accounts.ts'
import { isApprovalAwaited } from '../../tokens/rules/token/open-approval.ts'
import type { SiteSession } from '../site-session.ts'
import { loginButtons } from './login-page.ts'
import { forOwner, titleOf } from './names.ts'
import { actionButton, type Page, when } from './page.ts'
import { backToAll, keptPage } from './receipt-page.ts'

const LOOK_AGAIN_SECONDS = 3
/** A person who has not answered by then is not watching the page either, so it loads less often. */
const LOOK_LATER_SECONDS = 30

/**
 * The page between "Ask me in the app" and the receipt: whether somebody has approved, and a button for the
 * login on the web.
 */
export function waitingPage(known: KnownAccount, session: SiteSession, now: Temporal.Instant): Page {
  const { broker, state } = known
  const { account, approval } = state
  if (state.pending?.source === 'approval') return keptPage({ known, session })
  if (!isApprovalAwaited(approval, now)) return notAsked(known, session, now)
  const waitSeconds = broker.login?.approval?.waitSeconds ?? 0
  const late = approval.requestedAt.until(now).total('seconds') >= waitSeconds
  const title = late ? 'Nobody has approved yet' : `Approve in the ${broker.displayName} app`
  const label = forOwner(`Log in at ${broker.displayName} instead`, known)
  const body = html`<h1>${title}</h1>
<section class="card">
<h2><bdi>${titleOf(known)}</bdi></h2>
<p role="status"><span aria-hidden="true">…</span> Waiting: ${broker.displayName} was told to ask you ${when(approval.requestedAt, broker)}. Open its app and approve, until ${when(approval.openUntil, broker)}.</p>
<p>This page looks again by itself.</p>
<p><a href="">Check again now</a></p>
${actionButton(session, { account, action: 'start', label, quiet: !late })}
</section>
${backToAll}`
  return { title, body, refreshSeconds: late ? LOOK_LATER_SECONDS : LOOK_AGAIN_SECONDS }
}

function notAsked(known: KnownAccount, session: SiteSession, now: Temporal.Instant): Page {
  const { approval } = known.state
  const late = approval !== undefined && approval.approvedAt === undefined
  const title = late ? 'Nobody approved in time' : 'Nobody was asked'
  const body = html`<h1>${title}</h1>
<section class="card">
<h2><bdi>${titleOf(known)}</bdi></h2>
<p role="status">${late ? 'The request is over and nothing was changed.' : 'No approval is under way for this account.'}</p>
${loginButtons(known, session, now)}
</section>
${backToAll}`
  return { title, body }
}
