import type { Context } from 'hono'
import type { Temporal } from 'temporal-polyfill'
import { type KnownAccount, knownAccounts } from '../accounts/accounts.ts'
import { type Overview, overviewOf } from '../accounts/needs.ts'
import { isAccountId } from '../model/account-id.ts'
import type { Broker } from '../ports/broker/broker.ts'
import type { LoginService } from '../ports/login-service.ts'
import type { Ports } from '../ports/ports.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import type { TokenService } from '../ports/token-service.ts'
import type { SiteAddress } from './guards.ts'
import { show } from './pages/page.ts'
import { closedPage, plainPage } from './pages/problem-page.ts'
import type { SigningKeys } from './signing-keys.ts'
import { type SiteSession, type SiteSessions, siteSessions } from './site-session.ts'

export interface LoginSiteOptions extends SiteAddress {
  /** Does the work, here or in the brokers' functions. */
  readonly logins: LoginService
  /** Signs links, cookies and forms. */
  readonly keys: SigningKeys
}

/** What the groups of login routes share. */
export interface LoginSite extends LoginSiteOptions {
  readonly brokers: readonly Broker[]
  /** Has a run prove a token that was kept. */
  readonly tokens: Pick<TokenService, 'refresh'>
  readonly ports: Pick<Ports, 'states' | 'clock'> & { readonly telemetry: Pick<Telemetry, 'error'> }
  readonly sessions: SiteSessions
  /** Every account, sorted by whether it needs somebody. */
  overview(now: Temporal.Instant, first?: string | null): Promise<Overview>
  /** The account in the path, freshly read; `undefined` for one there is not. */
  accountOf(context: Context): Promise<KnownAccount | undefined>
}

export function loginSite(
  options: LoginSiteOptions,
  brokers: readonly Broker[],
  ports: LoginSite['ports'],
  tokens: LoginSite['tokens'],
): LoginSite {
  const { keys, siteUrl } = options
  return {
    ...options,
    brokers,
    tokens,
    ports,
    sessions: siteSessions({ keys, clock: ports.clock, secure: isSecure(siteUrl) }),
    async overview(now, first) {
      return overviewOf(await knownAccounts(brokers, ports.states), now, first)
    },
    async accountOf(context) {
      const { broker: id, name } = context.req.param() as Partial<Record<'broker' | 'name', string>>
      const broker = brokers.find((one) => one.id === id)
      if (!broker) return undefined
      const account = name === undefined ? broker.id : `${id}/${name}`
      // An address is anybody's text: one that names no account is no fault of this site.
      if (!isAccountId(account)) return undefined
      const state = await ports.states.get(account)
      return state && { broker, state }
    },
  }
}

export function isSecure(siteUrl: string): boolean {
  return siteUrl.startsWith('https:')
}

/** Who may look at a page about an account. */
export interface Look {
  readonly known: KnownAccount
  readonly session: SiteSession
  readonly now: Temporal.Instant
}

/** Answers for visitors with a cookie and accounts there are; for anybody else it tells nothing. */
export function inSession(
  site: LoginSite,
  answer: (look: Look, context: Context) => Promise<Response> | Response,
): (context: Context) => Promise<Response> {
  return async (context) => {
    const session = await site.sessions.of(context)
    if (!session) return show(context, closedPage('unsigned', site.open))
    const known = await site.accountOf(context)
    if (!known) return show(context, noSuchPage())
    return answer({ known, session, now: site.ports.clock.now() }, context)
  }
}

export function noSuchPage(): ReturnType<typeof plainPage> {
  return plainPage({
    title: 'There is no such page',
    what: 'The address is wrong, or what it showed is more than a day old.',
    fix: 'Go to the login page.',
    status: 404,
  })
}
