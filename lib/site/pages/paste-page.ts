import { html } from 'hono/html'
import type { KnownAccount } from '../../accounts/accounts.ts'
import type { SiteSession } from '../site-session.ts'
import { forOwner, titleOf } from './names.ts'
import { actionButton, formToken, type Html, type Page } from './page.ts'
import { backToAll } from './receipt-page.ts'

/**
 * For an app that is registered with another address than this site, such as FYERS' own: the person copies
 * the address they land on and pastes it here. `problem` in place of `authorizationUrl` where what they
 * pasted could not be used.
 */
export function pastePage(
  known: KnownAccount,
  session: SiteSession,
  view: { readonly authorizationUrl: string } | { readonly problem: string },
): Page {
  const { broker, state } = known
  const { account } = state
  const title = forOwner(`Log in at ${broker.displayName}`, known)
  const problem = 'problem' in view ? view.problem : undefined
  const body = html`<h1><bdi>${title}</bdi></h1>
${problem && html`<p class="bad" role="alert"><span aria-hidden="true">✕</span> ${problem}</p>`}
<p>The app registered for <bdi>${titleOf(known)}</bdi> sends you to another address than this page, so bring that address here.</p>
<ol>
<li>${'problem' in view ? 'Log in at the broker as before, or begin again below.' : openBroker(broker.displayName, view.authorizationUrl)}</li>
<li>Copy the whole address of the page you land on, even if that page shows an error.</li>
<li>
<form method="post" action="/login/${account}/paste">
${formToken(session, account, 'paste')}
<label for="address">Paste the address here</label>
<input id="address" name="address" type="url" autocomplete="off" autocapitalize="none" spellcheck="false" required>
<p><button>${forOwner('Finish the login', known)}</button></p>
</form>
</li>
</ol>
${problem && actionButton(session, { account, action: 'start', label: forOwner('Begin again', known), quiet: true })}
${backToAll}`
  return { title, body, status: problem ? 400 : 200 }
}

function openBroker(name: string, url: string): Html {
  return html`Log in at ${name}: it opens in another tab.
<p><a class="button" href="${url}" target="_blank" rel="noopener noreferrer">Open the login of ${name}</a></p>`
}
