import type { Hono } from 'hono'
import type { Broker } from '../ports/broker/broker.ts'
import type { Ports } from '../ports/ports.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import { mountRest } from '../rest/mount.ts'
import type { RestOptions } from '../rest/rest-env.ts'
import { isSecure, type LoginSiteOptions } from '../site/login-site.ts'
import { type FrameOptions, frame } from './frame.ts'
import { addPages } from './pages.ts'

export interface SiteOptions extends Pick<FrameOptions, 'words'> {
  readonly brokers: readonly Broker[]
  readonly ports: Pick<Ports, 'states' | 'clock'> & {
    readonly telemetry: Pick<Telemetry, 'info' | 'error'>
    /** Origins that replace the brokers' own. @default - none */
    readonly hosts?: Ports['hosts']
  }
  /** The zone of times that belong to no account. */
  readonly timeZone: string
  /** The interface for programs: their keys, who does the work, who may ask. */
  readonly rest: Pick<RestOptions, 'keys' | 'tokens' | 'access'>
  /** The pages where people log in. @default - none */
  readonly login?: LoginSiteOptions
}

/** The interface for programs and, where people log in here too, the pages: what `serve` answers. No page shows a token. */
export function siteApp(options: SiteOptions): Hono {
  const { brokers, ports, words, rest, login } = options
  const secure = login !== undefined && isSecure(login.siteUrl)
  const app = frame({ ports, ...(words && { words }), secure, hasPages: login !== undefined })
  mountRest(app, { ...options, ...rest })
  if (login) addPages(app, { brokers, ports, login, tokens: rest.tokens })
  return app
}
