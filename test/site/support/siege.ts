import type { AccountId } from '../../../lib/model/account-id.ts'
import { parseAccountId } from '../../../lib/model/account-id.ts'
import type { FinishOrder } from '../../../lib/ports/login-service.ts'
import { LoginWorld } from '../../support/login-world.ts'
import { type Site, siteOf } from './site.ts'
import { type Form, formsOf, type SiteBrowser } from './site-browser.ts'

const APP = { client_id: 'SIM-APP', client_secret: 'SIMULATED-client-secret' }
export const ASHA = parseAccountId('loginbroker/ASHA')
export const BINA = parseAccountId('loginbroker/BINA')
export const CALLBACK = '/callback/loginbroker'

/** Two accounts that need a login, the site, and the browser of somebody whom an attacker is after. */
export class Siege {
  readonly world: LoginWorld
  readonly site: Site
  victim: SiteBrowser
  /** What reached the service. */
  readonly finished: readonly FinishOrder[]

  private constructor(world: LoginWorld, site: Site, victim: SiteBrowser, finished: readonly FinishOrder[]) {
    this.world = world
    this.site = site
    this.victim = victim
    this.finished = finished
  }

  static async begin(): Promise<Siege> {
    const world = await LoginWorld.open('2026-11-23T08:00:00+05:30')
    await world.account(ASHA, APP, { nickname: 'Asha' })
    await world.account(BINA, APP, { nickname: 'Bina' })
    await world.run(world.broker)
    const finished: FinishOrder[] = []
    const site = await siteOf(world, [world.broker], {
      logins: (real) => ({
        ...real,
        finish(order) {
          finished.push(order)
          return real.finish(order)
        },
      }),
    })
    return new Siege(world, site, await site.visitor(BINA), finished)
  }

  /** Everything on record, to compare. */
  async records(): Promise<string> {
    return JSON.stringify([await this.world.record(ASHA), await this.world.record(BINA)])
  }

  /** The button of an account, as the page gave it to this browser. */
  async startForm(browser: SiteBrowser, account: AccountId): Promise<Form> {
    const page = await browser.get('/login')
    return formsOf(page.text).find(({ action }) => action === `/login/${account}/start`) as Form
  }

  /** Begins a login and gives its one-time state. */
  async state(browser: SiteBrowser, account = BINA): Promise<string> {
    const { action, fields } = await this.startForm(browser, account)
    const leaving = await browser.post(action, fields)
    return new URL(leaving.location ?? '').searchParams.get('state') ?? ''
  }

  async close(): Promise<void> {
    await this.world.close()
  }
}

/** Where the broker sends a browser back to. */
export function callback(state: string, code: string): string {
  return `${CALLBACK}?${new URLSearchParams({ state, code })}`
}
