import { Hono } from 'hono'
import type { Broker } from '../ports/broker.ts'
import type { Ports } from '../ports/ports.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import { problemOf, problemResponse, RestProblem } from '../rest/problem.ts'
import type { RestOptions } from '../rest/rest-env.ts'
import { restRoutes } from '../rest/rest-routes.ts'
import { TokenkeeperError } from '../tokens/errors.ts'
import { callbackRoutes } from './callback-routes.ts'
import { oneLoopbackName, ownForms } from './guards.ts'
import { siteHeaders } from './headers.ts'
import { loginRoutes } from './login-routes.ts'
import { isSecure, type LoginSiteOptions, loginSite, noSuchPage } from './login-site.ts'
import { show } from './page.ts'
import { plainPage } from './problem-page.ts'
import { healthRoute, statusRoutes } from './status-routes.ts'
import { webhookRoutes } from './webhook-routes.ts'

export interface SiteOptions {
  readonly brokers: readonly Broker[]
  /** The vault is asked for tokens by the status routes only. */
  readonly ports: Pick<Ports, 'states' | 'vault' | 'clock'> & {
    readonly telemetry: Pick<Telemetry, 'error'> & Partial<Pick<Telemetry, 'info'>>
    /** Origins that replace the brokers' own. @default - none */
    readonly hosts?: Ports['hosts']
  }
  /** The zone of times that belong to no account. */
  readonly timeZone: string
  /** Whether programs may ask for the status of each account: nothing asks them who they are. */
  readonly status?: boolean
  /** The interface for programs: their keys, who does the work, who may ask. @default - only what `status` says */
  readonly rest?: Pick<RestOptions, 'keys' | 'desk' | 'access'>
  /** The pages where people log in. @default - none */
  readonly login?: LoginSiteOptions
}

/** The site on localhost and on AWS: whether tokens are there, and where a person brings one back. Never a token. */
export function siteApp(options: SiteOptions): Hono {
  const { brokers, ports, status, rest, login } = options
  const app = new Hono()
  const secure = login !== undefined && isSecure(login.siteUrl)

  app.use(siteHeaders({ secure, hosts: Object.values(ports.hosts ?? {}) }))
  if (rest) {
    const telemetry = { info: () => undefined, ...ports.telemetry }
    app.route('/', restRoutes({ ...options, ...rest, ports: { ...ports, telemetry } }))
  } else {
    app.route('/', healthRoute(options))
    if (status) app.route('/', statusRoutes(options))
  }
  if (login) {
    const site = loginSite(login, brokers, ports)
    // Brokers are no browsers: their posts are told by the path alone.
    app.route('/', webhookRoutes(site))
    app.use(ownForms(login))
    app.on('GET', ['/', '/login', '/callback/:broker'], oneLoopbackName(login))
    app.route('/', loginRoutes(site))
    app.route('/', callbackRoutes(site))
  }

  app.notFound((context) => {
    if (login && wantsPage(context.req.header('accept'))) return show(context, noSuchPage())
    return problemResponse(
      context,
      new RestProblem('not_found', 'there is no such path, or not by this method'),
    )
  })
  app.onError((error, context) => {
    const known = error instanceof TokenkeeperError
    const code = known ? error.code : 'internal'
    ports.telemetry.error('a page could not be shown', { code, reason: known ? error.message : error.name })
    if (login && wantsPage(context.req.header('accept'))) {
      const what = known ? 'What is on record could not be read.' : 'Something unforeseen happened.'
      const fix = 'Try again in a minute.'
      return show(context, plainPage({ title: 'This did not work', what, fix, status: 503 }))
    }
    return problemResponse(context, problemOf(error))
  })
  return app
}

function wantsPage(accept: string | undefined): boolean {
  return accept?.includes('text/html') ?? false
}
