import { Hono } from 'hono'
import { loginCalled } from '../../tokens/login/attempts.ts'
import { onlyNavigation, queryOf } from '../guards.ts'
import { inSession, type LoginSite, noSuchPage } from '../login-site.ts'
import { show } from '../pages/page.ts'
import { problemPage } from '../pages/problem-page.ts'
import { receiptPage } from '../pages/receipt-page.ts'

/** Longer than any broker's redirect; the service reads no longer query. */
const LONGEST_QUERY = 8192

/** Where brokers send browsers back to, and what people see then. */
export function callbackRoutes(site: LoginSite): Hono {
  const app = new Hono()
  const { logins, brokers } = site

  /** Always leads away from the query, which holds the code, and never waits for anybody to press anything. */
  app.get('/callback/:broker', onlyNavigation, async (context) => {
    const broker = brokers.find(({ id }) => id === context.req.param('broker'))
    if (!broker) return show(context, noSuchPage())
    const query = queryOf(context.req.url).slice(1)
    const session = await site.sessions.of(context)
    // Nobody's login is touched by a browser that cannot have begun it.
    if (!session) return context.redirect('/problem/other_browser', 303)
    if (query.length > LONGEST_QUERY) return context.redirect('/problem/unknown_state', 303)
    const finished = await logins.finish({
      by: 'redirect',
      broker: broker.id,
      query,
      browser: session.binding,
    })
    const target =
      'refused' in finished ? `/problem/${finished.code}` : `/receipt/${finished.account}/${finished.loginId}`
    return context.redirect(target, 303)
  })

  const receipt = inSession(site, async ({ known, session, now }, context) => {
    const attempt = loginCalled(known.state, context.req.param('login') ?? '')
    if (!attempt) return show(context, noSuchPage())
    return show(context, receiptPage(attempt, { known, session, now, overview: await site.overview(now) }))
  })
  app.get('/receipt/:broker/:login', receipt)
  app.get('/receipt/:broker/:name/:login', receipt)

  app.get('/problem/:code', (context) => show(context, problemPage(context.req.param('code'))))
  return app
}
