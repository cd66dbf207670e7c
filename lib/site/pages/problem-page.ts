import { html } from 'hono/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Refusal } from '../../ports/login-service.ts'
import { type Html, type Page, sentence, stateLine } from './page.ts'
import { backToAll } from './receipt-page.ts'

interface Problem {
  readonly title: string
  readonly what: string
  readonly fix: string
}

const LOGIN_PAGE = 'login page'
const AGAIN = 'Go to the login page and begin again.'
const OPERATOR = 'Tell whoever runs this; the log has the details.'

/**
 * Why a callback was refused, in words that are the same for everybody, since the page's address contains
 * only the code.
 */
const PROBLEMS: Readonly<Partial<Record<Refusal['code'], Problem>>> = {
  unknown_state: {
    title: 'This login was not begun here',
    what: 'The broker sent you back with a login that this site does not know. Nothing was changed.',
    fix: AGAIN,
  },
  state_expired: {
    title: 'The login took too long',
    what: 'A login must be finished within ten minutes. Nothing was changed.',
    fix: AGAIN,
  },
  other_browser: {
    title: 'This login belongs to another browser',
    what: 'It was begun in another browser, or this one keeps no cookies. Nothing was changed.',
    fix: 'Finish it where you began, or open the link of your mail here and begin again.',
  },
  wrong_account: {
    title: 'Wrong account',
    what: 'Somebody else’s login came back. Nothing was changed.',
    fix: 'Log out at the broker, then begin again as the right user.',
  },
  rate_limited: {
    title: 'Too many logins in a short time',
    what: 'The broker allows only so many, and one more now could block the account. Nothing was changed.',
    fix: 'Wait a minute, then begin again.',
  },
  busy: {
    title: 'Somebody is at work on this account',
    what: 'A run or another login has it at the moment. Nothing was changed.',
    fix: 'Wait a moment, look at the login page, and begin again if it still asks.',
  },
  configuration_invalid: {
    title: 'This account cannot be logged in here',
    what: 'Its set-up does not allow it. Nothing was changed.',
    fix: OPERATOR,
  },
  client_rejected: {
    title: 'The broker refuses the app',
    what: 'The app registered with the broker is switched off, or set up differently. Nothing was changed.',
    fix: OPERATOR,
  },
  broker_unavailable: {
    title: 'The broker could not be reached',
    what: 'The login page shows whether this login counted all the same.',
    fix: 'Wait a minute, look there, and begin again if it still asks.',
  },
  ambiguous: {
    title: 'Nobody knows how this login ended',
    what: 'The broker’s reply was lost.',
    fix: 'Look at the login page, and begin again if it still asks.',
  },
  grant_rejected: {
    title: 'The broker refused the login',
    what: 'It was cancelled, or it took too long.',
    fix: AGAIN,
  },
  human_action: {
    title: 'The broker wants something of you first',
    what: 'It does not let this account in.',
    fix: 'Log in at the broker’s own site, do what it asks, then begin again.',
  },
  token_lost: {
    title: 'The new token could not be saved',
    what: 'The login worked, but what it gave could not be stored.',
    fix: AGAIN,
  },
  vault_read: storage('read'),
  vault_write: storage('written'),
  state: storage('used'),
}

/** For codes that mean nothing to a person. */
const UNFORESEEN: Problem = {
  title: 'Something unforeseen happened',
  what: 'The login page shows whether this login counted all the same.',
  fix: `${AGAIN} If it happens again: tell whoever runs this.`,
}

function storage(done: string): Problem {
  return {
    title: 'The storage did not answer',
    what: `What is on record could not be ${done}.`,
    fix: 'Wait a minute, look at the login page, and begin again if it still asks.',
  }
}

/** The page of `/problem/{code}`. An unknown code has a page too, which does not repeat it. */
export function problemPage(code: string): Page {
  const known = Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code as Refusal['code']] : undefined
  return failure({ ...(known ?? UNFORESEEN), status: 200 })
}

const STATUS: Readonly<Partial<Record<Refusal['code'], ContentfulStatusCode>>> = {
  rate_limited: 429,
  busy: 429,
  broker_unavailable: 503,
  state: 503,
}

/** The page for a request that the service refused, in its own words; nothing was changed. */
export function refusalPage({ code, reason, fix }: Refusal): Page {
  return failure({
    title: 'Not now',
    what: sentence(reason),
    fix: sentence(fix),
    status: STATUS[code] ?? 409,
  })
}

/**
 * The page for a visitor without a valid link: it tells how to get in, and nothing about any account. Where
 * the site is `open`, nobody was sent a link, and it leads to the login page.
 */
export function closedPage(link: 'expired' | 'forged' | 'unsigned', open = false): Page {
  if (open) {
    return failure({
      title: 'Begin at the login page',
      what: 'This browser has not been there lately, or keeps no cookies. Nothing was changed.',
      fix: 'Go to the login page first.',
      status: 403,
    })
  }
  const what = {
    expired: 'This link is more than a day old.',
    forged: 'This link is incomplete or was changed on its way.',
    unsigned: 'This page opens from the link in your mail only.',
  }[link]
  return failure({
    title: 'Open the link in your mail',
    what,
    fix: 'Open the newest message from Tokenkeeper and follow its link. This browser must keep cookies.',
    more: html`<p>No message? Whoever runs this gets a link here: tokenkeeper login.</p>`,
    status: 403,
    back: html`<p>Been let in already? <a href="/login">Try the login page again</a></p>`,
  })
}

/** The page for a form that did not come from a page which this browser was given. */
export function foreignFormPage(): Page {
  return failure({
    title: 'This button is out of date',
    what: 'The page it was on is too old, or this browser keeps no cookies. Nothing was changed.',
    fix: 'Go to the login page and press the button there.',
    status: 403,
  })
}

/** The page for a form that is too long. */
export function tooLongPage(): Page {
  return failure({
    title: 'That was too long',
    what: 'No address that a broker makes has so many characters. Nothing was changed.',
    fix: 'Go to the login page and begin again.',
    status: 413,
  })
}

/** A page that says what went wrong and what to do, with the given status. */
export function plainPage(page: Problem & { readonly status: ContentfulStatusCode }): Page {
  return failure(page)
}

interface Failure extends Problem {
  readonly status: ContentfulStatusCode
  /** Further text. @default - none */
  readonly more?: Html
  /** The link at the end. @default - to all accounts */
  readonly back?: Html
}

function failure({ title, what, fix, status, more, back = backToAll }: Failure): Page {
  const body: Html = html`<h1>${title}</h1>
<section class="card">
${stateLine('bad', what)}
<p><strong>${withLink(fix)}</strong></p>
${more}
</section>
${back}`
  return { title, body, status }
}

/** Makes a link of the words "login page" wherever a text has them. */
function withLink(text: string): Html {
  const [first = '', ...rest] = text.split(LOGIN_PAGE)
  return html`${first}${rest.map((part) => html`<a href="/login">${LOGIN_PAGE}</a>${part}`)}`
}
