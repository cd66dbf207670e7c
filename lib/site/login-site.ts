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
  /** Does the work, in this process or in the brokers' functions. */
  readonly logins: LoginService
  /** The keys that sign links, cookies and forms. */
  readonly keys: SigningKeys
}

/** What all login routes share. */
export interface LoginSite extends LoginSiteOptions {
  readonly brokers: readonly Broker[]
  /** For a run that proves a pending token. */
  readonly tokens: Pick<TokenService, 'refresh'>
  readonly ports: Pick<Ports, 'states' | 'clock'> & { readonly telemetry: Pick<Telemetry, 'error'> }
  readonly sessions: SiteSessions
  /** All accounts, sorted by whether they need a person. Throws StateStoreError. */
  overview(now: Temporal.Instant, first?: string | null): Promise<Overview>
  /** The account named by the path, newly read; `undefined` for an unknown one. Throws StateStoreError. */
  accountOf(context: Context): Promise<KnownAccount | undefined>
}

/** Puts together what all login routes share. */
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
      // Anybody can write an address, so one that names no account is no fault of this site.
      if (!isAccountId(account)) return undefined
      const state = await ports.states.get(account)
      return state && { broker, state }
    },
  }
}

/** Whether the site is served over https. */
export function isSecure(siteUrl: string): boolean {
  return siteUrl.startsWith('https:')
}

/** An admitted visitor, and the account the page is about. */
export interface Look {
  readonly known: KnownAccount
  readonly session: SiteSession
  readonly now: Temporal.Instant
}

/**
 * Calls `answer` for visitors with a valid cookie and a known account; all others get a page that tells
 * nothing.
 */
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

/** The page for an unknown address. */
export function noSuchPage(): ReturnType<typeof plainPage> {
  return plainPage({
    title: 'There is no such page',
    what: 'The address is wrong, or what it showed is more than a day old.',
    fix: 'Go to the login page.',
    status: 404,
  })
}
