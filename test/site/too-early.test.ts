import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { statusOf } from '../../lib/accounts/account-status.ts'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import { zerodha } from '../../lib/brokers/zerodha/zerodha.ts'
import { type AccountId, parseAccountId } from '../../lib/model/account-id.ts'
import { type AccessTokenRecord, type AccountState, newAccountState } from '../../lib/model/account-state.ts'
import { tokenRecord } from '../support/token-record.ts'
import { World } from '../support/world.ts'
import { type Site, siteOf } from './support/site.ts'
import { formsOf, type SiteBrowser, textOf } from './support/site-browser.ts'

const APP = { client_id: 'sim-api-key', client_secret: 'SIMULATED-app-secret' }
const FRIDAY_EVENING = '2026-11-27T20:00:00+05:30'
const MONDAY = '2026-11-30T06:00:00+05:30'

let world: World
let site: Site
let asha: AccountId
let browser: SiteBrowser

beforeEach(async () => {
  // Asked for on Friday morning, and nobody has logged in.
  world = new World('2026-11-27T08:15:00+05:30')
  asha = await world.account('zerodha/ASHA', APP, { nickname: 'Asha' })
  await world.account('upstox/BINA', APP, { nickname: 'Bina' })
  await world.run(zerodha)
  await world.run(upstox)
  site = await siteOf(world, [zerodha, upstox], { open: true })
  browser = site.browser()
})
afterEach(() => world.close())

const login = async (query = ''): Promise<string> => (await browser.get(`/login${query}`)).text

describe('the login page', () => {
  test('on a Friday evening needs nobody, counts nobody, and says from when', async () => {
    expect(textOf(await login())).toMatch(/^2 accounts need you/)
    world.clock.set(FRIDAY_EVENING)
    const page = await login()
    const text = textOf(page)
    expect(text).toMatch(/^Nothing to do yet No account waits for a person\. Too early for a login/)
    expect(text).toContain(
      'Asha at Zerodha: no token that works. A login helps from Mon 30 Nov 06:00 IST. The token of one now would be dead by Mon 30 Nov 09:15 IST',
    )
    expect(text).toContain('Bina at Upstox: no token that works. A login helps from Mon 30 Nov 03:30 IST')
    expect(text).not.toMatch(/needs? your|need you/i)
    expect(formsOf(page)).toEqual([])
  })

  test('on Monday morning needs each of them from its broker’s own time on', async () => {
    world.clock.set('2026-11-30T05:59:00+05:30')
    expect(textOf(await login())).toMatch(/^1 account needs you 0 of 1 done\. .*Bina at Upstox .*Too early/)
    world.clock.set(MONDAY)
    expect(textOf(await login())).toMatch(/^2 accounts need you 0 of 2 done\./)
  })

  test('has a second-rate button for whoever asks for that account, and for no other', async () => {
    world.clock.set(FRIDAY_EVENING)
    const page = await login(`?account=${asha}`)
    expect(formsOf(page).map(({ button, action }) => [action, button])).toEqual([
      [`/login/${asha}/start`, 'Log in at Zerodha all the same for Asha'],
    ])
    const leaving = await browser.press(
      { text: page, status: 200, headers: new Headers(), location: undefined },
      'Log in at Zerodha all the same',
    )
    expect(new URL(leaving.location ?? '').pathname).toBe('/connect/login')
  })
})

describe('the status of such an account', () => {
  const status = async (time: string) => {
    world.clock.set(time)
    return statusOf(zerodha, (await world.ports.states.get(asha)) as AccountState, world.clock.now())
  }

  test('says from when on a login helps, and that nobody waits for one before', async () => {
    expect(await status('2026-11-27T15:29:00+05:30')).toMatchObject({
      state: 'awaiting_login',
      loginHelpsFrom: null,
      nextAction: 'log in at Zerodha: tokenkeeper login zerodha/ASHA',
    })
    expect(await status(FRIDAY_EVENING)).toMatchObject({
      state: 'missing',
      summary: 'no token yet',
      live: false,
      loginHelpsFrom: MONDAY,
      nextAction: 'log in at Zerodha from Mon 30 Nov 06:00 IST on: tokenkeeper login zerodha/ASHA',
      lastError: null,
    })
    expect(await status(MONDAY)).toMatchObject({ state: 'awaiting_login', loginHelpsFrom: null })
  })

  test('promises a token of the next run only where the last one came by itself', async () => {
    const fresh = newAccountState(parseAccountId('fyers/BINA'))
    const now = world.clock.now()
    expect(statusOf(fyers, fresh, now)).toMatchObject({
      state: 'missing',
      nextAction: 'the next run gets a new one, or says what it needs',
    })
    const died = now.subtract({ minutes: 1 })
    const accessToken: AccessTokenRecord = {
      issuedAt: died.subtract({ hours: 2 }),
      expiresAt: died,
      expiryDecidedBy: 'the token’s own exp',
      provenAt: died,
      publishedAt: died,
      version: 1,
      source: 'refresh_token',
    }
    const refreshToken = { version: 1, savedAt: died }
    expect(statusOf(fyers, { ...fresh, accessToken, refreshToken }, now)).toMatchObject({
      state: 'expired',
      nextAction: 'the next run gets a new one',
    })
  })

  test('is that of its token while one lives, whatever was asked for in the morning', async () => {
    const at = world.clock.now()
    const accessToken = tokenRecord({ issuedAt: at, expiresAt: at.add({ hours: 20 }) })
    await world.change(asha, { accessToken })
    expect(await status(FRIDAY_EVENING)).toMatchObject({ state: 'fresh', live: true, loginHelpsFrom: null })
  })
})
