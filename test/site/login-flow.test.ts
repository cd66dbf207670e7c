import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AccountId, parseAccountId } from '../../lib/model/account-id.ts'
import { HTML_502 } from '../../lib/simulators/kit/simulator.ts'
import { LoginWorld } from '../support/login-world.ts'
import { type Site, siteOf } from './support/site.ts'
import { formsOf, linksOf, type Reply, type SiteBrowser, textOf } from './support/site-browser.ts'

const APP = { client_id: 'SIM-APP', client_secret: 'SIMULATED-client-secret' }
const ASHA = parseAccountId('loginbroker/ASHA')
const BINA = parseAccountId('loginbroker/BINA')
const CHITRA = parseAccountId('loginbroker/CHITRA')

let world: LoginWorld
let site: Site
let browser: SiteBrowser

beforeEach(async () => {
  world = await LoginWorld.open('2026-11-23T08:00:00+05:30')
  await world.account(ASHA, APP, { nickname: 'Asha' })
  await world.account(BINA, APP, { nickname: 'Bina' })
  await world.account(CHITRA, APP, { nickname: 'Chitra' })
  await world.run(world.broker)
  site = await siteOf(world, [world.broker])
  browser = await site.visitor(BINA)
})
afterEach(() => world.close())

/** What the broker sends the browser back to when `user` has logged in there. */
function callbackFor(
  leaving: Reply,
  user: string | undefined,
  overrides: Record<string, string> = {},
): string {
  const asked = new URL(leaving.location ?? '').searchParams
  const back = new URL(asked.get('redirect_uri') ?? '')
  back.searchParams.set('state', asked.get('state') ?? '')
  if (user !== undefined) back.searchParams.set('code', world.simulator.codeFor(user))
  for (const [name, value] of Object.entries(overrides)) back.searchParams.set(name, value)
  return back.href
}

const pressed = async (name: string): Promise<Reply> =>
  browser.press(await browser.get('/login'), `Log in at Loginbroker for ${name}`)

/** The whole login of the account called `name` by `user`. */
async function logIn(name: string, user: string | undefined): Promise<Reply> {
  return browser.follow(callbackFor(await pressed(name), user))
}

const record = (account: AccountId) => world.record(account)

describe('from the mail to a proven token', () => {
  test('it takes one tap of ours: link, button, the broker’s own page, receipt', async () => {
    const page = await browser.get(await site.link(BINA))
    expect(textOf(page.text)).toMatch(
      /^3 accounts need you 0 of 3 done\. Each button leads to the broker’s own page\. Bina at Loginbroker/,
    )
    expect(textOf(page.text)).toContain(
      'By Mon 23 Nov 09:15 IST, in 1 h 15 min Old token None that works. Log in at Loginbroker for Bina',
    )
    const leaving = await browser.press(page, 'Log in at Loginbroker for Bina')
    expect(leaving.status).toBe(303)
    const back = callbackFor(leaving, 'SIM002')
    expect(back).toMatch(/^https:\/\/tokens\.example\.invalid\/callback\/loginbroker\?/)

    const answer = await browser.get(back)
    expect(answer.status).toBe(303)
    expect(answer.location).toMatch(/^\/receipt\/loginbroker\/BINA\/[A-Za-z0-9_-]{43}$/)
    const receipt = textOf((await browser.follow(answer.location)).text)
    expect(receipt).toContain('Done: Bina at Loginbroker ✓ Logged in, proven and saved Account SIM002')
    expect(receipt).toContain("Valid until Mon 23 Nov 20:00 IST Covers today's session: yes, until 15:30.")
    expect(await record(BINA)).toMatchObject({ generation: 1, userId: 'SIM002' })
    expect(await world.stored(BINA, 'access_token')).toBeDefined()
  })

  test('finishing one leads to the next, and the last one to the end', async () => {
    let receipt = await logIn('Bina', 'SIM002')
    expect(textOf(receipt.text)).toContain('Next: Asha at Loginbroker 1 of 3 done.')
    receipt = await browser.follow(callbackFor(await browser.press(receipt, 'Log in at'), 'SIM001'))
    expect(textOf(receipt.text)).toContain('Next: Chitra at Loginbroker 2 of 3 done.')
    expect(textOf((await browser.get('/login')).text)).toMatch(/^1 account needs you 2 of 3 done\./)
    receipt = await browser.follow(callbackFor(await browser.press(receipt, 'Log in at'), 'SIM003'))
    expect(textOf(receipt.text)).toContain('3 of 3 done. You can close this page.')

    const page = textOf((await browser.get('/login')).text)
    expect(page).toMatch(/^Nothing to do No account waits for a person\. Today: 3 of 3 done\. Your accounts/)
    expect(page).toContain('Bina at Loginbroker: ✓ live until Mon 23 Nov 20:00 IST, logged in by SIM002.')
  })

  test('the receipt can be looked at again and again; the code is exchanged once', async () => {
    const back = callbackFor(await pressed('Bina'), 'SIM002')
    const first = await browser.follow(back)
    const before = JSON.stringify(await record(BINA))
    const [again, twice] = await Promise.all([browser.follow(back), browser.follow(back)])
    expect([again.text, twice.text]).toEqual([first.text, first.text])
    expect(world.simulator.codesSeen).toBe(1)
    expect(JSON.stringify(await record(BINA))).toBe(before)
  })

  test('a double click opens two logins, and the first that comes back counts', async () => {
    const [one, two] = await Promise.all([pressed('Bina'), pressed('Bina')])
    expect(one.location).not.toBe(two.location)
    expect((await browser.follow(callbackFor(two, 'SIM002'))).status).toBe(200)
    expect(await record(BINA)).toMatchObject({ generation: 1 })
  })

  test('a receipt is shown to browsers that were let in, and to nobody else', async () => {
    const { location } = await browser.get(callbackFor(await pressed('Bina'), 'SIM002'))
    const stranger = await site.browser().get(location ?? '')
    expect(stranger.status).toBe(403)
    expect(stranger.text).not.toMatch(/Bina|SIM002/)
    const colleague = await site.visitor(ASHA)
    expect(textOf((await colleague.get(location ?? '')).text)).toContain('SIM002')
  })

  test('while the broker is being asked, the page says so and looks again', async () => {
    const leaving = await pressed('Bina')
    const attempt = (await record(BINA)).logins?.[0]
    const receipt = `/receipt/${BINA}/${attempt?.id}`
    expect(textOf((await browser.get(receipt)).text)).toContain('This login is not finished')

    const logins = (await record(BINA)).logins?.map((login) => ({ ...login, usedAt: world.clock.now() }))
    await world.change(BINA, { logins })
    const waiting = await browser.get(receipt)
    expect(waiting.headers.get('refresh')).toBe('2')
    expect(waiting.text).toContain('role="status"')
    world.clock.advance({ seconds: 61 })
    const lost = await browser.get(receipt)
    expect(lost.headers.get('refresh')).toBeNull()
    expect(textOf(lost.text)).toMatch(/^The login was interrupted .* Log in at Loginbroker again for Bina/)
    expect(leaving.status).toBe(303)
  })
})

describe('a login that fails', () => {
  test('as somebody else says whose it was, masked, and changes nothing', async () => {
    await logIn('Bina', 'SIM002')
    world.clock.set('2026-11-24T08:00:00+05:30')
    await world.ports.vault.remove(BINA, 'refresh_token')
    await world.run(world.broker)
    browser = await site.visitor(BINA)
    const before = await world.stored(BINA, 'access_token')
    const page = await logIn('Bina', 'OTHER77')
    const text = textOf(page.text)
    expect(text).toMatch(/^Wrong account: nothing was changed ✕ Not logged in: Bina at Loginbroker/)
    expect(text).toContain('The token belongs to OT…77, but this account is pinned to SI…02.')
    expect(text).toContain('Log out at Loginbroker first, then log in again as the right user.')
    expect(text).toContain('No working token is left')
    expect(page.text).not.toContain('OTHER77')
    expect(await world.stored(BINA, 'access_token')).toBe(before)
    expect(await record(BINA)).toMatchObject({ generation: 1, userId: 'SIM002' })

    world.clock.advance({ seconds: 60 })
    const again = await browser.press(page, 'Log in at Loginbroker again')
    expect(textOf((await browser.follow(callbackFor(again, 'SIM002'))).text)).toMatch(/^Done: Bina/)
  })

  test('because the person cancelled says that the old token still works', async () => {
    await logIn('Bina', 'SIM002')
    world.clock.advance({ minutes: 5 })
    const { action, fields } = formsOf((await browser.get('/login')).text)[0] ?? { action: '', fields: {} }
    expect(action).toBe('/login/loginbroker/ASHA/start')
    const leaving = await browser.post(action, fields)
    const page = await browser.follow(callbackFor(leaving, undefined, { error: 'access_denied' }))
    const text = textOf(page.text)
    expect(text).toMatch(/^The login did not work/)
    expect(text).toContain(
      'The broker sent no authorization code: the login was cancelled or refused there (access_denied).',
    )
    expect(text).toContain('Log in again when you are ready.')
    expect(text).toContain('No working token is left')
    expect(world.simulator.codesSeen).toBe(1)
  })

  /** A login whose proof does not answer; where its receipt is. */
  async function keptLogin(): Promise<string> {
    const server = await world.serve(world.simulator)
    site = await siteOf(world, [world.broker])
    browser = await site.visitor(BINA)
    for (let i = 0; i < 5; i++) server.failNext('/me', HTML_502)
    const answer = await browser.get(callbackFor(await pressed('Bina'), 'SIM002'))
    return answer.location ?? ''
  }

  test('for want of a proof only says not to log in again, and shows the proof when it comes', async () => {
    const receipt = await keptLogin()
    const page = await browser.get(receipt)
    expect(textOf(page.text)).toMatch(/^Logged in; the new token is being proven/)
    expect(textOf(page.text)).toContain('The token is kept: do not log in again.')
    expect(page.headers.get('refresh')).toBeTruthy()
    const codes = world.simulator.codesSeen
    const proven = await browser.press(page, 'Prove it now')
    expect(textOf(proven.text)).toMatch(/^Done: Bina/)
    expect(world.simulator.codesSeen).toBe(codes)
    // The receipt tells the same from now on.
    expect(textOf((await browser.get(receipt)).text)).toMatch(/^Done: Bina/)
  })

  test('for want of a proof that in the end refuses the token asks for another login', async () => {
    const receipt = await keptLogin()
    world.simulator.killAccessTokens()
    world.simulator.revokeAll()
    await world.run(world.broker)
    const text = textOf((await browser.get(receipt)).text)
    expect(text).toMatch(/^The login did not work/)
    expect(text).toContain('The broker refused the new token when it was proven. Log in again.')
    expect((await record(BINA)).pending).toBeUndefined()
  })

  test('before the old token died says until when that one works', async () => {
    await logIn('Bina', 'SIM002')
    const last = { at: world.clock.now(), outcome: 'awaiting_login', reason: 'a test' } as const
    await world.change(BINA, { last })
    world.clock.advance({ minutes: 5 })
    const page = await logIn('Bina', undefined)
    expect(textOf(page.text)).toContain(
      'The old token is left as it was: proven Mon 23 Nov 08:00 IST, valid until Mon 23 Nov 20:00 IST.',
    )
  })

  test('at the broker says what happened and offers another try', async () => {
    const server = await world.serve(world.simulator)
    site = await siteOf(world, [world.broker])
    browser = await site.visitor(BINA)
    server.failNext('/exchange', HTML_502)
    const page = await logIn('Bina', 'SIM002')
    expect(textOf(page.text)).toMatch(/^The login did not work/)
    expect(formsOf(page.text).map(({ button }) => button)).toEqual(['Log in at Loginbroker again for Bina'])
  })

  test('because it took too long leads away from the query to a page that says so', async () => {
    const back = callbackFor(await pressed('Bina'), 'SIM002')
    world.clock.advance({ minutes: 10 })
    expect(await browser.get(back)).toMatchObject({ status: 303, location: '/problem/state_expired' })
    const page = await browser.follow('/problem/state_expired')
    expect(textOf(page.text)).toMatch(/^The login took too long.*Go to the login page and begin again/)
    expect(linksOf(page.text)).toContain('/login')
    expect(world.simulator.codesSeen).toBe(0)
  })

  test('because a run holds the account says so, not that the account is nearly blocked, and the login counts later', async () => {
    const back = callbackFor(await pressed('Bina'), 'SIM001')
    const until = world.clock.now().add({ minutes: 5 })
    await world.change(BINA, { lease: { owner: 'another run', until } })
    expect((await browser.get(back)).location).toBe('/problem/busy')
    const page = textOf((await browser.follow(back)).text)
    expect(page).toContain('Somebody is at work on this account')
    expect(page).not.toMatch(/too many|block/i)
    expect(world.simulator.codesSeen).toBe(0)
    world.clock.advance({ minutes: 8 })
    expect((await browser.get(back)).location).toMatch(/^\/receipt\//)
  })

  test('before it began says why: what is missing, or that the budget is used up', async () => {
    await world.ports.vault.remove(ASHA, 'client_secret')
    const missing = await pressed('Asha')
    expect(missing.status).toBe(409)
    expect(textOf(missing.text)).toContain('Not stored for loginbroker/ASHA: client_secret.')
    await logIn('Bina', 'OTHER77')
    await world.run(world.broker)
    await world.change(CHITRA, { exchanges: [world.clock.now()] })
    const early = await pressed('Chitra')
    expect(early.status).toBe(429)
    expect(textOf(early.text)).toMatch(/Not now.*Try again in \d+ s\./)
  })
})
