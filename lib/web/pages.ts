import type { Hono } from 'hono'
import type { Broker } from '../ports/broker/broker.ts'
import type { TokenService } from '../ports/token-service.ts'
import { oneLoopbackName, ownForms } from '../site/guards.ts'
import { isSecure, type LoginSite, type LoginSiteOptions, loginSite } from '../site/login-site.ts'
import { callbackRoutes } from '../site/routes/callback-routes.ts'
import { loginRoutes } from '../site/routes/login-routes.ts'
import { webhookRoutes } from '../site/routes/webhook-routes.ts'
import { type FrameOptions, frame } from './frame.ts'

export interface PagesOptions extends Pick<FrameOptions, 'words'> {
  readonly brokers: readonly Broker[]
  readonly ports: LoginSite['ports'] & FrameOptions['ports']
  readonly login: LoginSiteOptions
  /** Has a run prove a token that was kept. */
  readonly tokens: Pick<TokenService, 'refresh'>
}

/** The pages where people log in, without the interface for programs. */
export function pagesApp(options: PagesOptions): Hono {
  const { ports, words, login } = options
  const secure = isSecure(login.siteUrl)
  const app = frame({ ports, ...(words && { words }), secure, hasPages: true })
  addPages(app, options)
  return app
}

/** Puts the pages on an app. */
export function addPages(app: Hono, { brokers, ports, login, tokens }: PagesOptions): void {
  const site = loginSite(login, brokers, ports, tokens)
  // Brokers are no browsers: their posts are told by the path alone.
  app.route('/', webhookRoutes(site))
  app.use(ownForms(login))
  // Named one by one: an address is anybody's text, and what it is decoded to may not be one.
  const callbacks = brokers.map(({ id }) => `/callback/${id}`)
  app.on('GET', ['/', '/login', ...callbacks], oneLoopbackName(login))
  app.route('/', loginRoutes(site))
  app.route('/', callbackRoutes(site))
}
