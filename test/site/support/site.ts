import type { Hono } from 'hono'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { CommandWords } from '../../../lib/model/command-words.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { LoginService } from '../../../lib/ports/login-service.ts'
import { loginLinks } from '../../../lib/site/login-links.ts'
import { ensureSigningKey, type SigningKeys, storedSigningKeys } from '../../../lib/site/signing-keys.ts'
import { loginService } from '../../../lib/tokens/login/login-service.ts'
import { siteApp } from '../../../lib/web/app.ts'
import { restOf } from '../../support/rest.ts'
import type { World } from '../../support/world.ts'
import { SiteBrowser } from './site-browser.ts'

export const SITE = 'https://tokens.example.invalid'

export interface Site {
  readonly app: Hono
  readonly siteUrl: string
  readonly keys: SigningKeys
  readonly logins: LoginService
  browser(): SiteBrowser
  /** As a message has it. */
  link(account: AccountId): Promise<string>
  /** A browser that has opened the page with the link of a message. */
  visitor(account: AccountId): Promise<SiteBrowser>
}

export interface SiteSetting {
  readonly open?: boolean
  readonly siteUrl?: string
  /** Whether the status of the accounts needs no key. */
  readonly status?: boolean
  readonly logins?: (real: LoginService) => LoginService
  /** How its visitors call the command. */
  readonly words?: CommandWords
}

/** The site in front of a world: as on AWS unless told otherwise, and with the real service behind it. */
export async function siteOf(
  world: World,
  brokers: readonly Broker[],
  {
    open = false,
    siteUrl = SITE,
    status = false,
    logins: replaced = (real) => real,
    words,
  }: SiteSetting = {},
): Promise<Site> {
  await ensureSigningKey(world.ports.vault)
  const keys = storedSigningKeys(world.ports.vault, world.clock)
  const logins = replaced(loginService({ brokers, ports: world.ports }))
  const app = siteApp({
    brokers,
    ports: world.ports,
    timeZone: 'Asia/Kolkata',
    ...(words && { words }),
    rest: restOf(world, brokers, status ? 'loopback' : 'keys'),
    login: { logins, keys, siteUrl, open },
  })
  const links = loginLinks({ keys, siteUrl, clock: world.clock })
  const browser = (): SiteBrowser => new SiteBrowser(app, siteUrl)
  const link = async (account: AccountId): Promise<string> =>
    (await links.forIncident(account, `${account}@2026-11-23T01:30:00Z`)) as string
  return {
    app,
    siteUrl,
    keys,
    logins,
    browser,
    link,
    async visitor(account) {
      const opened = browser()
      const page = await opened.get(await link(account))
      if (page.status !== 200) throw new Error(`the login page answered ${page.status}`)
      return opened
    },
  }
}
