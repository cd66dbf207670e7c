import { type Context, Hono } from 'hono'
import { readPasted } from '../../tokens/login/pasted-login.ts'
import { isLive, tokenStatus } from '../../tokens/rules/token/token-status.ts'
import { areLoopback, shortForm } from '../guards.ts'
import { verifyLink } from '../login-links.ts'
import { inSession, type LoginSite, type Look } from '../login-site.ts'
import { loginPage } from '../pages/login-page.ts'
import { show } from '../pages/page.ts'
import { pastePage } from '../pages/paste-page.ts'
import { closedPage, foreignFormPage, plainPage, refusalPage } from '../pages/problem-page.ts'
import { keptPage, successPage } from '../pages/receipt-page.ts'
import { waitingPage } from '../pages/waiting-page.ts'
import type { Action } from '../site-session.ts'

/** The pages and buttons of a login until the browser leaves for the broker. Only POST changes anything. */
export function loginRoutes(site: LoginSite): Hono {
  const app = new Hono()
  const { logins, tokens, ports, siteUrl } = site

  app.get('/', (context) => context.redirect('/login', 303))

  app.get('/login', async (context) => {
    const query = new URLSearchParams(context.req.query())
    const now = ports.clock.now()
    const { verdict } = await verifyLink(query, site.keys, now)
    const admitted = site.open || verdict === 'valid'
    const session = await (admitted ? site.sessions.admit(context) : site.sessions.of(context))
    if (!session) return show(context, verdict === 'valid' || site.open ? noKeyPage() : closedPage(verdict))
    return show(context, loginPage(await site.overview(now, query.get('account')), session, now))
  })

  post('start', async (look, context) => {
    const { broker, state } = look.known
    const callbackUrl = `${siteUrl}/callback/${broker.id}`
    const started = await logins.start({
      account: state.account,
      browser: look.session.binding,
      callbackUrl,
    })
    if ('refused' in started) return show(context, refusalPage(started))
    const { authorizationUrl, redirectUri } = started
    // The registered address is not ours, so the browser will not come back here.
    if (!isOurs(redirectUri, callbackUrl)) {
      return show(context, pastePage(look.known, look.session, { authorizationUrl }))
    }
    return context.redirect(authorizationUrl, 303)
  })

  post('approve', async ({ known }, context) => {
    const { account } = known.state
    const asked = await logins.requestApproval({ account })
    if ('refused' in asked) return show(context, refusalPage(asked))
    return context.redirect(`/waiting/${account}`, 303)
  })

  post('prove', async ({ known, session, now }, context) => {
    const { broker, state } = known
    const { account } = state
    await tokens.refresh({ broker: broker.id, accounts: [account] })
    const after = (await ports.states.get(account)) ?? state
    const then = { known: { broker, state: after }, session, now }
    if (after.pending) return show(context, keptPage(then))
    if (!isLive(after, ports.clock.now())) return context.redirect('/login', 303)
    return show(context, successPage({ ...then, overview: await site.overview(now) }))
  })

  post('paste', async ({ known, session }, context, form) => {
    const code = known.broker.login?.code
    const pasted = code && readPasted(form.get('address') ?? '', code)
    if (pasted?.kind !== 'redirect') {
      const why = pasted?.kind === 'useless' ? ` (${pasted.why})` : ''
      const problem = `This is not the address of the page after the login${why}: copy all of it.`
      return show(context, pastePage(known, session, { problem }))
    }
    const { query } = pasted
    const { binding: browser } = session
    const finished = await logins.finish({ by: 'redirect', broker: known.broker.id, query, browser })
    const target =
      'refused' in finished ? `/problem/${finished.code}` : `/receipt/${finished.account}/${finished.loginId}`
    return context.redirect(target, 303)
  })

  const waiting = inSession(site, async ({ known, session, now }, context) => {
    const { state } = known
    const status = tokenStatus(state, now)
    // A further open request for approval makes the token unproven again a minute after its proof.
    const holds = status === 'live' || status === 'unproven'
    const approved = state.approval?.approvedAt !== undefined && holds
    if (!approved) return show(context, waitingPage(known, session, now))
    return show(context, successPage({ known, session, now, overview: await site.overview(now) }))
  })
  app.get('/waiting/:broker', waiting)
  app.get('/waiting/:broker/:name', waiting)

  /** The route of a button: for a visitor with a cookie, and a form that this site gave to that visitor. */
  function post(
    action: Action,
    press: (look: Look, context: Context, form: URLSearchParams) => Promise<Response>,
  ): void {
    const pressed = inSession(site, async (look, context) => {
      const form = new URLSearchParams(await context.req.text())
      const genuine = look.session.isFormToken(look.known.state.account, action, form.get('token') ?? '')
      return genuine ? press(look, context, form) : show(context, foreignFormPage())
    })
    app.post(`/login/:broker/${action}`, shortForm, pressed)
    app.post(`/login/:broker/:name/${action}`, shortForm, pressed)
  }
  return app
}

/** Whether the broker sends the browser to our callback, under any name of this machine. */
function isOurs(redirectUri: string, callbackUrl: string): boolean {
  const [theirs, ours] = [new URL(redirectUri), new URL(callbackUrl)]
  const sameHost = theirs.origin === ours.origin || (theirs.port === ours.port && areLoopback(theirs, ours))
  return sameHost && theirs.pathname === ours.pathname
}

function noKeyPage(): ReturnType<typeof plainPage> {
  return plainPage({
    title: 'The site is not ready',
    what: 'It has no key yet to sign with.',
    fix: 'Whoever runs this makes one: tokenkeeper alerts rotate-key.',
    status: 503,
  })
}
