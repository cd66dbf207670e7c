import { Hono } from 'hono'
import { loginCalled } from '../../tokens/login/attempts.ts'
import { onlyNavigation, queryOf } from '../guards.ts'
import { inSession, type LoginSite, noSuchPage } from '../login-site.ts'
import { show } from '../pages/page.ts'
import { problemPage } from '../pages/problem-page.ts'
import { receiptPage } from '../pages/receipt-page.ts'

/** Characters; no broker's redirect is longer, and the service reads no longer query. */
const LONGEST_QUERY = 8192

/** The routes to which brokers send browsers back, and the pages that people see then. */
export function callbackRoutes(site: LoginSite): Hono {
  const app = new Hono()
  const { logins, brokers } = site

  /**
   * Always redirects, so that the query with the code leaves the address bar, and never waits for a person.
   */
  app.get('/callback/:broker', onlyNavigation, async (context) => {
    const broker = brokers.find(({ id }) => id === context.req.param('broker'))
    if (!broker) return show(context, noSuchPage())
    const query = queryOf(context.req.url).slice(1)
    const session = await site.sessions.of(context)
    // A browser without a session cannot have begun a login, so nothing is touched.
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
