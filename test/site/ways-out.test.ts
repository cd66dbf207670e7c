import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ASHA, BINA, callback, Siege } from './support/siege.ts'
import { type SiteSetting, siteOf } from './support/site.ts'
import { formsOf, linksOf, type Reply, type SiteBrowser, textOf } from './support/site-browser.ts'

const LOCAL: SiteSetting = { open: true, siteUrl: 'http://127.0.0.1:8787' }
const AWS = { call: 'npx tokenkeeper --backend aws' }

let siege: Siege

beforeEach(async () => {
  siege = await Siege.begin()
})
afterEach(() => siege.close())

/** Addresses people come to: from a message, by the button Back, by a slip of the hand. */
const ADDRESSES = [
  '/',
  '/login',
  '/login?account=loginbroker&incident=x&until=1&key=x&sig=forged',
  `/login/${BINA}/start`,
  '/waiting/loginbroker',
  `/waiting/${BINA}`,
  '/waiting/loginbroker/NOBODY',
  '/waiting/nosuch/NOBODY',
  '/waiting',
  `/receipt/${BINA}/unknown`,
  '/callback/nosuch',
  '/callback/loginbroker?code=x&state=y',
  '/problem/unknown_state',
  '/problem/other_browser',
  '/problem/constructor',
  '/nowhere',
]

/** Where a page leads on: to an address of ours, or by a button. */
function waysOut({ text }: Reply): number {
  return linksOf(text).filter((href) => href.startsWith('/')).length + formsOf(text).length
}

async function pages(browser: SiteBrowser): Promise<readonly (readonly [address: string, page: Reply])[]> {
  const got = await Promise.all(
    ADDRESSES.map(async (address) => [address, await browser.follow(address)] as const),
  )
  const pressed = await browser.post(`/login/${BINA}/start`, { token: 'forged' })
  const tooLong = await browser.post(`/login/${BINA}/paste`, { address: 'x'.repeat(10_000) })
  return [...got, ['a forged button', pressed], ['an endless paste', tooLong]]
}

describe.each([
  ['on the internet', {}],
  ['on this machine', LOCAL],
] as const)('a site %s', (_, setting) => {
  test.each(['a visitor', 'a stranger'])('has a way on from each page for %s', async (who) => {
    const site = await siteOf(siege.world, [siege.world.broker], setting)
    const browser = who === 'a visitor' ? await site.visitor(BINA) : site.browser()
    for (const [address, page] of await pages(browser)) {
      expect(page.headers.get('content-type'), address).toMatch(/^text\/html/)
      expect(waysOut(page), `${address}: ${textOf(page.text)}`).toBeGreaterThan(0)
    }
  })
})

test('a page that there is not has its way out as a link in the sentence that names it', async () => {
  const site = await siteOf(siege.world, [siege.world.broker], LOCAL)
  const { text, status } = await site.browser().get('/nowhere')
  expect(status).toBe(404)
  expect(text).toContain('Go to the <a href="/login">login page</a>.')
})

test('a page that wants a visitor sends nobody to a mail where no mail is sent', async () => {
  const site = await siteOf(siege.world, [siege.world.broker], {
    ...LOCAL,
    words: { call: 'npx tokenkeeper' },
  })
  const page = await site.browser().get(`/waiting/${BINA}`)
  expect(page.status).toBe(403)
  expect(textOf(page.text)).not.toMatch(/mail|message/i)
  const [way = ''] = linksOf(page.text)
  expect((await site.browser().follow(way)).status).toBe(200)
})

test('who has no message is told how to come by a link, with the command as it runs there', async () => {
  const site = await siteOf(siege.world, [siege.world.broker], { words: AWS })
  const page = await site.browser().get(`/waiting/${BINA}`)
  expect(page.text).toContain(`<code>${AWS.call} login</code>`)
  expect(linksOf(page.text)).toEqual(['/login'])
})

test('a page that waits for a proof can be left', async () => {
  const site = await siteOf(siege.world, [siege.world.broker])
  const visitor = await site.visitor(BINA)
  const state = await siege.state(visitor)
  const receipt = await visitor.get(callback(state, siege.world.simulator.codeFor('SIM001')))
  const record = await siege.world.record(BINA)
  const logins = record.logins?.map(({ result, ...login }) => login) ?? []
  await siege.world.change(BINA, { logins })
  const page = await visitor.get(receipt.location ?? '')
  expect(textOf(page.text)).toMatch(/^One moment/)
  expect(linksOf(page.text)).toContain('/login')
})

describe('commands', () => {
  test.each([
    ['on a page', AWS, 'Run <code>npx tokenkeeper --backend aws setup loginbroker</code>.'],
    [
      'in a rehearsal',
      { instead: 'open http://127.0.0.1:8787/login' },
      '<dd><code>Open http://127.0.0.1:8787/login</code>.',
    ],
    [
      'with odd signs in it',
      { call: "node '/a&b/<c>'" },
      'Run <code>node &#39;/a&amp;b/&lt;c&gt;&#39; setup loginbroker</code>.',
    ],
  ] as const)('are put as they run, %s', async (_, words, shown) => {
    const now = siege.world.clock.now()
    const last = {
      at: now,
      outcome: 'failed',
      reason: 'wrong',
      fix: 'run tokenkeeper setup loginbroker',
    } as const
    const incident = { id: 'x', kind: 'operator_action', openedAt: now, toldAt: now } as const
    await siege.world.change(ASHA, { last, incident })
    const site = await siteOf(siege.world, [siege.world.broker], { words, status: true })
    const visitor = await site.visitor(BINA)
    expect((await visitor.get('/login')).text).toContain(shown)
    const reply = await site.app.request(`${site.siteUrl}/accounts/${ASHA}/token/status`)
    const { last_error: error } = (await reply.json()) as { last_error: { fix: string } }
    const call = 'call' in words ? `run ${words.call} setup loginbroker` : words.instead
    expect(error.fix).toBe(call)
  })
})
