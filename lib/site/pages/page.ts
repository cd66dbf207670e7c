import type { Context } from 'hono'
import { html, raw } from 'hono/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import { localInstant } from '../../model/time/local-time.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Action, SiteSession } from '../site-session.ts'
import { STYLE } from './style.ts'

/** Text whose interpolations were escaped. */
export type Html = ReturnType<typeof html>

/** A page before it is put into the site's frame. */
export interface Page {
  readonly title: string
  readonly body: Html
  /** @default 200 */
  readonly status?: ContentfulStatusCode
  /** Seconds after which the browser loads the page again. @default - never */
  readonly refreshSeconds?: number | undefined
}

/** Answers with a page of the site: one response without scripts, which loads nothing from elsewhere. */
export function show(context: Context, { title, body, status = 200, refreshSeconds }: Page): Response {
  if (refreshSeconds !== undefined) context.header('refresh', String(refreshSeconds))
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} · Tokenkeeper</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<header>Tokenkeeper</header>
<main>
${body}
</main>
</body>
</html>
`
  return context.html(String(document), status)
}

/** A button that changes something. Nothing on the site is changed in another way. */
export function actionButton(
  session: SiteSession,
  { account, action, label, quiet }: ActionButton & { readonly account: AccountId },
): Html {
  return html`<form method="post" action="/login/${account}/${action}">
${formToken(session, account, action)}
<button${quiet ? raw(' class="quiet"') : ''}>${label}</button>
</form>`
}

interface ActionButton {
  readonly action: Action
  readonly label: string
  /** Whether the button is the second choice, and shown less strongly. */
  readonly quiet?: boolean
}

/** The hidden field with the form token of one action on one account. */
export function formToken(session: SiteSession, account: AccountId, action: Action): Html {
  return html`<input type="hidden" name="token" value="${session.formToken(account, action)}">`
}

/** An instant in the broker's zone, with the exact time for machines. */
export function when(instant: Temporal.Instant, { session }: Broker): Html {
  const exact = instant.round('second').toString()
  return html`<time datetime="${exact}">${localInstant(instant, session.timeZone)}</time>`
}

/** A state in words, with a symbol, and a colour for people who see it. */
export function stateLine(kind: 'good' | 'need' | 'bad', words: string): Html {
  const symbol = { good: '✓', need: '▲', bad: '✕' }[kind]
  return html`<p class="state ${kind}"><span aria-hidden="true">${symbol}</span> ${words}</p>`
}

/** Makes a sentence of a reason or a fix: `the app is disabled` becomes `The app is disabled.` */
export function sentence(text: string): string {
  const trimmed = text.trim()
  if (trimmed === '') return ''
  const ended = /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`
  return ended.charAt(0).toUpperCase() + ended.slice(1)
}
