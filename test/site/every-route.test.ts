import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { StateStoreError } from '../../lib/model/errors.ts'
import { webhookPath } from '../../lib/site/webhook-path.ts'
import { ASHA, BINA, callback, Siege } from './support/siege.ts'
import { type Site, siteOf } from './support/site.ts'
import { formsOf, linksOf, type Reply, SiteBrowser } from './support/site-browser.ts'

let siege: Siege
let site: Site

beforeEach(async () => {
  siege = await Siege.begin()
  site = await siteOf(siege.world, [siege.world.broker], { status: true })
})
afterEach(() => siege.close())

/** One of each page there is, as a browser sees them that was let in. */
async function addresses(): Promise<readonly string[]> {
  const visitor = await site.visitor(BINA)
  const state = await siege.state(visitor)
  const receipt = await visitor.get(callback(state, siege.world.simulator.codeFor('SIM001')))
  return [
    '/',
    await site.link(BINA),
    '/login',
    receipt.location ?? '',
    callback(await siege.state(visitor, ASHA), 'never-sent'),
    `/waiting/${BINA}`,
    '/waiting/loginbroker',
    `/receipt/${BINA}/unknown`,
    '/problem/state_expired',
    '/problem/constructor',
    '/health',
    '/token/status',
    '/accounts/BINA/token/status',
    '/nowhere',
    '/webhook/loginbroker/guess',
    `/login/${BINA}/start`,
  ]
}

/** Everything stored: records, and secrets as they lie in the database. */
function stored(): string {
  const rows = ['SELECT * FROM secret', 'SELECT * FROM account_state'].map((query) =>
    siege.world.database.prepare(query).all(),
  )
  return JSON.stringify(rows)
}

describe('an address of an account that cannot be', () => {
  test.each([
    '/waiting/loginbroker/a%20b',
    '/waiting/loginbroker/..%2fx',
    '/receipt/loginbroker/%F0%9F%98%80/x',
    `/waiting/loginbroker/${'a'.repeat(65)}`,
  ])('%s is 404, and no fault of ours', async (address) => {
    const visitor = await site.visitor(BINA)
    expect((await visitor.get(address)).status).toBe(404)
    expect(siege.world.logs.filter(({ level }) => level === 'error')).toEqual([])
  })
})

describe('every response', () => {
  test('forbids scripts, framing, keeping and telling where one came from', async () => {
    const visitor = await site.visitor(BINA)
    for (const address of await addresses()) {
      for (const browser of [visitor, site.browser()]) {
        for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
          const { headers } = await browser.request(method, address, {})
          const csp = headers.get('content-security-policy') ?? ''
          expect(csp, `${method} ${address}`).toMatch(
            /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self' https: http:\/\/127\.0\.0\.1:\d+; frame-ancestors 'none'; base-uri 'none'$/,
          )
          expect(Object.fromEntries(headers)).toMatchObject({
            'cache-control': 'no-store',
            'referrer-policy': 'no-referrer',
            'x-content-type-options': 'nosniff',
            'x-frame-options': 'DENY',
            'cross-origin-opener-policy': 'same-origin',
            'permissions-policy': expect.stringContaining('camera=()'),
            'strict-transport-security': 'max-age=31536000',
          })
        }
      }
    }
  })

  test('is not told to insist on https where it is served over http on this machine', async () => {
    const local = await siteOf(siege.world, [siege.world.broker], {
      open: true,
      siteUrl: 'http://127.0.0.1:8787',
    })
    const { headers } = await local.browser().get('/login')
    expect(headers.get('strict-transport-security')).toBeNull()
    expect(headers.get('set-cookie')).toMatch(
      /^tokenkeeper=[^;]+; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/,
    )
  })

  test('has its cookie bound to the host, out of reach of scripts, and no other cookie', async () => {
    const { headers } = await site.browser().get(await site.link(BINA))
    expect(headers.getSetCookie()).toHaveLength(1)
    expect(headers.get('set-cookie')).toMatch(
      /^__Host-tokenkeeper=[^;]+; Max-Age=86400; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
    expect((await site.browser().get('/login')).headers.getSetCookie()).toEqual([])
  })

  test('has no script, no handler, no frame and nothing from elsewhere', async () => {
    const visitor = await site.visitor(BINA)
    for (const address of await addresses()) {
      const { text } = await visitor.get(address)
      expect(text).not.toMatch(/<script|<iframe|<img|<link|<object|\son\w+=|javascript:|@import|url\(/i)
      for (const link of linksOf(text)) expect(link).toMatch(/^(\/[a-z]|$)/)
      for (const { action } of formsOf(text)) expect(action).toMatch(/^\/login\//)
    }
  })
})

describe('GET', () => {
  test('changes nothing anywhere, for a visitor as for a stranger', async () => {
    const visitor = await site.visitor(BINA)
    // The callback with a code is the one address whose purpose is a change, and only for the browser that began.
    const harmless = (await addresses()).filter((address) => !address.includes('code='))
    const before = stored()
    for (const address of harmless) {
      for (const browser of [visitor, site.browser()]) {
        for (const method of ['GET', 'HEAD']) {
          await browser.request(method, address, {})
          expect(stored(), `${method} ${address}`).toBe(before)
        }
      }
    }
  })

  test('and POST by a mail scanner that follows every link and presses every button change nothing', async () => {
    const pending = [
      await site.link(BINA),
      ...(await addresses()),
      (await webhookPath(site.keys, BINA)) as string,
    ]
    const before = stored()
    const seen = new Set<string>()
    let pressed = 0
    while (pending.length > 0) {
      const address = pending.pop() as string
      if (seen.has(address) || seen.size > 200) continue
      seen.add(address)
      // No cookie survives from one request of such a program to the next.
      const scanner = new SiteBrowser(site.app, site.siteUrl)
      const replies: Reply[] = [await scanner.request('HEAD', address, {}), await scanner.get(address)]
      for (const form of replies.flatMap(({ text }) => formsOf(text))) {
        pressed += 1
        replies.push(await new SiteBrowser(site.app, site.siteUrl).post(form.action, form.fields))
      }
      for (const { location, text } of replies)
        pending.push(...linksOf(text), ...(location ? [location] : []))
    }
    expect(pressed).toBeGreaterThan(0)
    expect(stored()).toBe(before)
  })
})

describe('what is not to be had on AWS without an API key', () => {
  test('is the status of accounts; whether the service is well is told everybody', async () => {
    const aws = await siteOf(siege.world, [siege.world.broker], { status: false })
    for (const path of ['/token/status', '/accounts/BINA/token/status']) {
      expect((await aws.browser().get(path)).status).toBe(401)
    }
    const health = await aws.browser().get('/health')
    expect(health.status).toBe(200)
    expect(health.text).not.toContain('BINA')
  })
})

describe('a fault of ours', () => {
  test('is a page for people and JSON for programs, with nothing of the fault in it', async () => {
    const { world } = siege
    const visitor = await site.visitor(BINA)
    world.failNext('states.list', { times: 'all', error: new StateStoreError('the table CANARY is away') })
    const broken = await siteOf(world, [world.broker])
    const browser = new SiteBrowser(broken.app, broken.siteUrl)
    for (const [name, value] of visitor.cookies) browser.cookies.set(name, value)
    const page = await browser.get('/login')
    expect(page.status).toBe(503)
    expect(page.headers.get('content-type')).toMatch(/^text\/html/)
    expect(page.headers.get('content-security-policy')).toBeTruthy()
    expect(page.text).toContain('Try again in a minute.')
    expect(page.text).not.toContain('CANARY')
    const json = await browser.get('/health', { accept: 'application/json' })
    expect(JSON.parse(json.text)).toMatchObject({ code: 'state' })
  })
})
