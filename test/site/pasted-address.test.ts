import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { LoginWorld } from '../support/login-world.ts'
import { type Site, siteOf } from './support/site.ts'
import { formsOf, linksOf, type Reply, type SiteBrowser, textOf } from './support/site-browser.ts'

const BINA = parseAccountId('loginbroker/BINA')
/** An address of the broker's own, as FYERS registers for its apps. */
const ELSEWHERE = 'https://trade.example.invalid/api-login/redirect-to-app'

let world: LoginWorld
let site: Site
let browser: SiteBrowser

beforeEach(async () => {
  world = await LoginWorld.open('2026-11-23T08:00:00+05:30')
  const app = { client_id: 'SIM-APP', client_secret: 'SIMULATED-client-secret', redirect_uri: ELSEWHERE }
  await world.account(BINA, app, { nickname: 'Bina' })
  await world.run(world.broker)
  site = await siteOf(world, [world.broker])
  browser = await site.visitor(BINA)
})
afterEach(() => world.close())

const begin = async (): Promise<Reply> =>
  browser.press(await browser.get('/login'), 'Log in at Loginbroker for Bina')

function landedAt(page: Reply, user = 'SIM001'): string {
  const leaving = linksOf(page.text).find((link) => link.startsWith('http')) ?? ''
  const state = new URL(leaving).searchParams.get('state') ?? ''
  return `${ELSEWHERE}?s=ok&state=${encodeURIComponent(state)}&code=${world.simulator.codeFor(user)}`
}

async function paste(page: Reply, address: string): Promise<Reply> {
  const form = formsOf(page.text).find(({ button }) => button.startsWith('Finish the login'))
  return browser.post(form?.action ?? '', { ...form?.fields, address })
}

describe('an app whose registered address is not ours', () => {
  test('gets a page that says how to bring the address back', async () => {
    const page = await begin()
    expect(page.status).toBe(200)
    expect(textOf(page.text)).toMatch(
      /Log in at Loginbroker: it opens in another tab\..*Copy the whole address/,
    )
    expect(page.text).toMatch(/target="_blank" rel="noopener noreferrer"/)
    expect(page.text).toMatch(/<label for="address">/)
  })

  test('is logged in by the pasted address, once', async () => {
    const page = await begin()
    const address = landedAt(page)
    const finished = await paste(page, `  ${address}\n`)
    expect(finished.status).toBe(303)
    expect(textOf((await browser.follow(finished.location)).text)).toMatch(/^Done: Bina/)
    expect((await paste(page, address)).location).toBe(finished.location)
    expect(world.simulator.codesSeen).toBe(1)
  })

  test.each([
    ['nothing', ''],
    ['a code alone', 'code-SIM001-1'],
    ['an address without a state', `${ELSEWHERE}?code=code-SIM001-1`],
    ['something far too long', `https://x.invalid/?state=${'x'.repeat(8200)}`],
  ])('is asked again for %s, which is not repeated on the page', async (_, address) => {
    const page = await begin()
    const reply = await paste(page, address)
    expect(reply.status).toBe(address.length > 8192 ? 413 : 400)
    expect(textOf(reply.text)).toMatch(reply.status === 413 ? /^That was too long/ : /copy all of it\./)
    if (reply.status === 400) {
      expect(reply.text).toContain('role="alert"')
      expect(formsOf(reply.text).map(({ button }) => button)).toEqual([
        'Finish the login for Bina',
        'Begin again for Bina',
      ])
    }
    if (address !== '') expect(reply.text).not.toContain(address)
    expect(world.simulator.codesSeen).toBe(0)
  })

  test('does not take an address that was made for another browser, or for nobody', async () => {
    const page = await begin()
    const address = landedAt(page)
    const other = await site.visitor(BINA)
    browser = other
    const theirs = await begin()
    expect((await paste(theirs, address)).location).toBe('/problem/other_browser')
    expect((await paste(theirs, `${ELSEWHERE}?state=made-up&code=x`)).location).toBe('/problem/unknown_state')
    expect(world.simulator.codesSeen).toBe(0)
  })
})

test('an app registered by another name of this machine needs no pasting: its callback finds the cookie', async () => {
  await world.store(BINA, { redirect_uri: 'http://localhost:8787/callback/loginbroker' })
  site = await siteOf(world, [world.broker], { open: true, siteUrl: 'http://127.0.0.1:8787' })
  browser = site.browser()
  const leaving = await begin()
  expect(leaving.status).toBe(303)
  const state = new URL(leaving.location ?? '').searchParams.get('state') ?? ''
  const query = new URLSearchParams({ state, code: world.simulator.codeFor('SIM001') })
  const moved = await browser.get(`/callback/loginbroker?${query}`, { host: 'localhost:8787', cookie: '' })
  expect(moved.location).toBe(`http://127.0.0.1:8787/callback/loginbroker?${query}`)
  expect(textOf((await browser.follow(moved.location)).text)).toMatch(/^Done: Bina/)
})

test('an app registered for another port of this machine is somebody else’s', async () => {
  await world.store(BINA, { redirect_uri: 'http://localhost:9999/callback/loginbroker' })
  site = await siteOf(world, [world.broker], { open: true, siteUrl: 'http://127.0.0.1:8787' })
  browser = site.browser()
  expect(textOf((await begin()).text)).toContain('Copy the whole address')
})
