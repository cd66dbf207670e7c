import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { rotateSigningKey } from '../../lib/site/signing-keys.ts'
import { LoginWorld } from '../support/login-world.ts'
import { ASHA, BINA, callback, Siege } from './support/siege.ts'
import { type Site, siteOf } from './support/site.ts'
import { formsOf, type SiteBrowser, textOf } from './support/site-browser.ts'

let world: LoginWorld
let site: Site
let browser: SiteBrowser

beforeEach(async () => {
  const siege = await Siege.begin()
  world = siege.world
  site = siege.site
  browser = siege.victim
})
afterEach(() => world.close())

describe('the login page', () => {
  test('shows what the operator has to do instead of a button', async () => {
    const now = world.clock.now()
    const last = {
      at: now,
      outcome: 'failed',
      reason: 'the app is switched off',
      fix: 'switch it on',
    } as const
    const incident = { id: 'x', kind: 'operator_action', openedAt: now, toldAt: now } as const
    await world.change(ASHA, { last, incident })
    const page = await browser.get('/login')
    expect(textOf(page.text)).toMatch(
      /Asha at Loginbroker.*Needs a correction of its set-up Why The app is switched off\. .*Do this Switch it on\.$/,
    )
    expect(formsOf(page.text).map(({ button }) => button)).toEqual(['Log in at Loginbroker for Bina'])
  })

  test('says while the market is open that it is now', async () => {
    world.clock.set('2026-11-23T10:00:00+05:30')
    expect(textOf((await browser.get('/login')).text)).toContain('By Now: the market is open until 15:30.')
  })

  test('opens on this machine without a link, and elsewhere with one or the cookie of one', async () => {
    const closed = site.browser()
    expect(await closed.get('/login')).toMatchObject({ status: 403 })
    expect(await closed.get('/')).toMatchObject({ status: 303, location: '/login' })
    expect((await browser.get('/login')).status).toBe(200)
    const link = await site.link(BINA)
    world.clock.advance({ hours: 24 })
    expect((await browser.get('/login')).status).toBe(403)
    const expired = await browser.get(link)
    expect(expired.status).toBe(403)
    expect(textOf(expired.text)).toMatch(/^Open the link in your mail .*more than a day old/)
    const local = await siteOf(world, [world.broker], { open: true, siteUrl: 'http://127.0.0.1:8787' })
    expect((await local.browser().get('/login')).status).toBe(200)
  })

  test('opened again in another tab leaves the first tab’s login and its buttons alone', async () => {
    const before = await browser.get('/login')
    const leaving = await browser.press(before, 'Log in at Loginbroker for Bina')
    await browser.get(await site.link(BINA))
    const state = new URL(leaving.location ?? '').searchParams.get('state') ?? ''
    const receipt = await browser.follow(callback(state, world.simulator.codeFor('SIM001')))
    expect(textOf(receipt.text)).toMatch(/^Done: Bina/)
    await rotateSigningKey(world.ports.vault)
    world.clock.advance({ minutes: 6 })
    await browser.get(await site.link(BINA))
    expect((await browser.press(before, 'Log in at Loginbroker for Asha')).status).toBe(303)
  })

  test('says what to do when nothing is set up, and when there is no key to sign with', async () => {
    const empty = new LoginWorld()
    const none = await siteOf(empty, [empty.broker], { open: true, siteUrl: 'http://127.0.0.1:8787' })
    expect(textOf((await none.browser().get('/login')).text)).toContain('No account is set up here yet.')
    await empty.ports.vault.remove(parseAccountId('site'), 'signing_key')
    empty.clock.advance({ minutes: 6 })
    const keyless = await none.browser().get('/login')
    expect(keyless.status).toBe(503)
    expect(textOf(keyless.text)).toContain('The site is not ready')
    await empty.close()
  })
})
