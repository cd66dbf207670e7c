import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { BrokerUnavailableError } from '../../lib/model/errors.ts'
import { webhookPath } from '../../lib/site/webhook-path.ts'
import { LoginWorld } from '../support/login-world.ts'
import { type Site, siteOf } from './support/site.ts'
import { formsOf, linksOf, type Reply, type SiteBrowser, textOf } from './support/site-browser.ts'

const BINA = parseAccountId('loginbroker/BINA')
const WAITING = `/waiting/${BINA}`
const ASK = 'Ask me in the Loginbroker app for Bina'

let world: LoginWorld
let site: Site
let browser: SiteBrowser
let hook: string

/** The morning after a first login: its user is on record, its token is dead. */
beforeEach(async () => {
  world = await LoginWorld.open('2026-11-23T05:00:00+05:30')
  await world.account(
    BINA,
    { client_id: 'SIM-APP', client_secret: 'SIMULATED-client-secret' },
    { nickname: 'Bina' },
  )
  await world.logIn(BINA)
  world.clock.set('2026-11-24T07:40:00+05:30')
  await world.ports.vault.remove(BINA, 'refresh_token')
  await world.run(world.broker)
  site = await siteOf(world, [world.broker])
  browser = await site.visitor(BINA)
  hook = (await webhookPath(site.keys, BINA)) as string
})
afterEach(() => world.close())

const ask = async (): Promise<Reply> => browser.press(await browser.get('/login'), ASK)
const recorded = async (): Promise<string> => JSON.stringify(await world.record(BINA))

/** As a broker posts: no cookie, no origin. */
const post = (path: string, body: string): Promise<Reply> =>
  site.browser().request('POST', path, { body, headers: { 'content-type': 'application/json' } })
const approve = (user = 'SIM001'): Promise<Reply> =>
  post(hook, JSON.stringify(world.simulator.webhookOf(user)))

describe('an approval in the broker’s app', () => {
  test('is the first button where the user is known, and the web login the second', async () => {
    const buttons = formsOf((await browser.get('/login')).text).map(({ button }) => button)
    expect(buttons).toEqual([ASK, 'Log in at Loginbroker for Bina'])
  })

  test('is not offered where nobody has logged in yet: nobody signs what comes back', async () => {
    await world.account('loginbroker/NEW', { client_id: 'SIM-APP', client_secret: 'SIMULATED-client-secret' })
    await world.run(world.broker)
    const buttons = formsOf((await browser.get('/login')).text).map(({ button }) => button)
    expect(buttons).toContain('Log in at Loginbroker for NEW')
    expect(buttons).not.toContain('Ask me in the Loginbroker app for NEW')
  })

  test('asks the holder, waits, and turns into the receipt', async () => {
    const asked = await ask()
    expect(asked).toMatchObject({ status: 303, location: WAITING })
    expect(world.simulator.approvalsAsked).toBe(1)
    const waiting = await browser.get(WAITING)
    expect(waiting.headers.get('refresh')).toBe('3')
    expect(waiting.text).toMatch(/<p role="status">/)
    expect(waiting.text).not.toContain('http-equiv')
    expect(textOf(waiting.text)).toMatch(
      /^Approve in the Loginbroker app Bina at Loginbroker … Waiting: .* Tue 24 Nov 07:40 IST\. .* until Tue 24 Nov 09:40 IST\./,
    )
    expect(linksOf(waiting.text)).toContain('')
    expect(formsOf(waiting.text).map(({ button }) => button)).toEqual([
      'Log in at Loginbroker instead for Bina',
    ])

    expect(await approve()).toMatchObject({ status: 200, text: '' })
    const receipt = await browser.get(WAITING)
    expect(receipt.headers.get('refresh')).toBeNull()
    expect(textOf(receipt.text)).toContain(
      'Done: Bina at Loginbroker ✓ Logged in, proven and saved Account SIM001',
    )
    expect(textOf(receipt.text)).toContain('1 of 1 done. You can close this page.')
    expect(textOf((await browser.get('/login')).text)).toContain('approved by SIM001 in the Loginbroker app')
  })

  test('stays the receipt while an earlier request is open, which puts its token in doubt again', async () => {
    await ask()
    world.clock.advance({ minutes: 35 })
    await world.logins.requestApproval({ account: BINA })
    world.clock.advance({ minutes: 1 })
    await approve()
    world.clock.advance({ minutes: 2 })
    expect(await world.tokenStatus(BINA)).toBe('unproven')
    const receipt = textOf((await browser.get(WAITING)).text)
    expect(receipt).toMatch(/^Done: Bina at Loginbroker/)
    expect(receipt).toContain('1 of 1 done.')
  })

  test('that nobody answers makes the other way prominent, and ends', async () => {
    await ask()
    world.clock.advance({ minutes: 14 })
    expect((await browser.get(WAITING)).text).toContain('class="quiet"')
    world.clock.advance({ minutes: 1 })
    const late = await browser.get(WAITING)
    expect(textOf(late.text)).toMatch(/^Nobody has approved yet/)
    expect(late.text).not.toContain('class="quiet"')
    expect(late.headers.get('refresh')).toBe('30')
    world.clock.advance({ hours: 2 })
    const over = await browser.get(WAITING)
    expect(over.headers.get('refresh')).toBeNull()
    expect(textOf(over.text)).toMatch(/^Nobody approved in time/)
  })

  test('of yesterday is no receipt for today', async () => {
    await ask()
    await approve()
    world.clock.advance({ hours: 24 })
    expect(textOf((await browser.get('/login')).text)).toMatch(/^Open the link/)
    browser = await site.visitor(BINA)
    expect(textOf((await browser.get(WAITING)).text)).toMatch(/^Nobody was asked/)
  })

  test('is shown as under way on the login page instead of asking twice', async () => {
    await ask()
    const page = await browser.get('/login')
    expect(linksOf(page.text)).toContain(WAITING)
    expect(formsOf(page.text).map(({ button }) => button)).toEqual(['Log in at Loginbroker for Bina'])
    const [form] = formsOf((await (await site.visitor(BINA)).get('/login')).text)
    expect(form?.action).toBe(`/login/${BINA}/start`)
  })

  test('that may not be asked for says why, and that the web still works', async () => {
    const before = await browser.get('/login')
    await ask()
    const again = await browser.press(before, ASK)
    expect(again.status).toBe(429)
    expect(textOf(again.text)).toMatch(
      /You were asked already: look in the Loginbroker app\. .*Log in on the web/,
    )
  })
})

describe('the webhook', () => {
  test.each([
    ['no request is open', 'valid', false],
    ['the body is another user’s', 'stranger', true],
    ['the body is no JSON', '{"user":', true],
    ['the body is empty', '', true],
    ['the body is no object', '42', true],
    ['the body is deep', '['.repeat(4000), true],
  ])('answers 200 with nothing in it when %s, and changes nothing', async (_, body, asked) => {
    if (asked) await ask()
    const before = await recorded()
    const text =
      body === 'valid'
        ? JSON.stringify(world.simulator.webhookOf('SIM001'))
        : body === 'stranger'
          ? JSON.stringify(world.simulator.webhookOf('SIM999'))
          : body
    const reply = await post(hook, text)
    expect(reply).toMatchObject({ status: 200, text: '' })
    expect(await recorded()).toBe(before)
  })

  test('answers a duplicate like the first', async () => {
    await ask()
    const body = JSON.stringify(world.simulator.webhookOf('SIM001'))
    await post(hook, body)
    const after = await recorded()
    expect(await post(hook, body)).toMatchObject({ status: 200, text: '' })
    expect(await recorded()).toBe(after)
  })

  test('is not to be guessed: 404 for everything but the one path, and the logins is not asked', async () => {
    await ask()
    const before = await recorded()
    const [named = '', sig = ''] = (hook.split('/').at(-1) ?? '').split('.')
    const guesses = Array.from(
      { length: 200 },
      (_, index) => `${named}.${index.toString(36).padStart(43, 'A')}`,
    )
    for (const guess of [...guesses, `${named}.${sig}A`, `${named}.`, named, `x${named}.${sig}`]) {
      const reply = await post(
        `/webhook/loginbroker/${guess}`,
        JSON.stringify(world.simulator.webhookOf('SIM001')),
      )
      expect(reply).toMatchObject({ status: 404, text: '' })
    }
    expect((await post(hook.replace('loginbroker', 'upstox'), '{}')).status).toBe(404)
    expect(await recorded()).toBe(before)
    expect(await approve()).toMatchObject({ status: 200 })
    expect(await recorded()).not.toBe(before)
  })

  test('takes thirty posts a minute on one path and tells the rest to stop', async () => {
    const statuses: number[] = []
    for (let count = 0; count < 32; count++) statuses.push((await post(hook, '{}')).status)
    expect(statuses).toEqual([...Array(30).fill(200), 429, 429])
    world.clock.advance({ seconds: 60 })
    expect((await post(hook, '{}')).status).toBe(200)
  })

  test('reads no body longer than any token', async () => {
    await ask()
    const before = await recorded()
    const body = JSON.stringify({ ...world.simulator.webhookOf('SIM001'), padding: 'x'.repeat(8 * 1024) })
    expect(await post(hook, body)).toMatchObject({ status: 200, text: '' })
    expect(await recorded()).toBe(before)
  })

  test('tells the poster nothing when the logins fails, and its log no more than the account', async () => {
    site = await siteOf(world, [world.broker], {
      logins: (real) => ({
        ...real,
        acceptApproval: () => Promise.reject(new BrokerUnavailableError('the function is away')),
      }),
    })
    expect(await approve()).toMatchObject({ status: 200, text: '' })
    expect(world.logs.at(-1)).toEqual({
      level: 'error',
      message: 'a posted approval could not be looked at',
      fields: { account: BINA, code: 'broker_unavailable' },
    })
  })

  test('leaves neither its path nor what was posted in any log', async () => {
    await ask()
    await approve('SIM999')
    await approve()
    const token = await world.stored(BINA, 'access_token')
    expect(world.said()).not.toContain(hook.split('/').at(-1))
    expect(world.said()).not.toContain(token)
  })
})
