import { Hono } from 'hono'
import { BARE, type CommandWords } from '../model/command-words.ts'
import { TokenkeeperError } from '../model/errors.ts'
import type { Broker } from '../ports/broker/broker.ts'
import type { Ports } from '../ports/ports.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import { mountRest } from '../rest/mount.ts'
import { noSuchPath, problemOf, problemResponse } from '../rest/problem.ts'
import type { RestOptions } from '../rest/rest-env.ts'
import { oneLoopbackName, ownForms } from '../site/guards.ts'
import { siteHeaders } from '../site/headers.ts'
import { isSecure, type LoginSiteOptions, loginSite, noSuchPage } from '../site/login-site.ts'
import { show } from '../site/pages/page.ts'
import { plainPage } from '../site/pages/problem-page.ts'
import { wordedReplies } from '../site/pages/worded-replies.ts'
import { callbackRoutes } from '../site/routes/callback-routes.ts'
import { loginRoutes } from '../site/routes/login-routes.ts'
import { webhookRoutes } from '../site/routes/webhook-routes.ts'

export interface SiteOptions {
  readonly brokers: readonly Broker[]
  readonly ports: Pick<Ports, 'states' | 'clock'> & {
    readonly telemetry: Pick<Telemetry, 'info' | 'error'>
    /** Origins that replace the brokers' own. @default - none */
    readonly hosts?: Ports['hosts']
  }
  /** The zone of times that belong to no account. */
  readonly timeZone: string
  /** How its visitors call our command. @default - by its bare name */
  readonly words?: CommandWords
  /** The interface for programs: their keys, who does the work, who may ask. */
  readonly rest: Pick<RestOptions, 'keys' | 'tokens' | 'access'>
  /** The pages where people log in. @default - none */
  readonly login?: LoginSiteOptions
}

/** The site on localhost and on AWS: what programs ask, and where a person brings a token back. No page shows one. */
export function siteApp(options: SiteOptions): Hono {
  const { brokers, ports, rest, login } = options
  const app = new Hono()
  const secure = login !== undefined && isSecure(login.siteUrl)

  app.use(wordedReplies(options.words ?? BARE))
  app.use(siteHeaders({ secure, hosts: Object.values(ports.hosts ?? {}) }))
  mountRest(app, { ...options, ...rest })
  if (login) {
    const site = loginSite(login, brokers, ports, rest.tokens)
    // Brokers are no browsers: their posts are told by the path alone.
    app.route('/', webhookRoutes(site))
    app.use(ownForms(login))
    // Named one by one: an address is anybody's text, and what it is decoded to may not be one.
    const callbacks = brokers.map(({ id }) => `/callback/${id}`)
    app.on('GET', ['/', '/login', ...callbacks], oneLoopbackName(login))
    app.route('/', loginRoutes(site))
    app.route('/', callbackRoutes(site))
  }

  app.notFound((context) => {
    if (login && wantsPage(context.req.header('accept'))) return show(context, noSuchPage())
    return problemResponse(context, noSuchPath())
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
