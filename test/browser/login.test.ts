import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { SIMULATED_CODE } from '../../lib/simulators/login-page.ts'
import { seriousFindings } from './support/accessibility.ts'
import { launchChromium } from './support/chromium.ts'
import { Stage } from './support/stage.ts'

const PHONE = { width: 360, height: 740 }
const DESKTOP = { width: 1280, height: 900 }
/** Where CI takes artefacts from. The README's are copies: UPDATE_PICTURES=1 npm run test:browser renews them. */
const PICTURES = process.env['UPDATE_PICTURES']
  ? resolve(import.meta.dirname, 'pictures')
  : resolve(import.meta.dirname, '../../.cache/pictures')
const IN_README = ['login-phone-light', 'receipt-phone-light', 'login-desktop-light']

let chromium: Browser
let stage: Stage
let context: BrowserContext
let page: Page

beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true })
  chromium = await launchChromium()
})
afterAll(() => chromium?.close())
beforeEach(async () => {
  stage = await Stage.open()
  // The site is to work without scripts, so it gets none.
  context = await chromium.newContext({ viewport: PHONE, javaScriptEnabled: false })
  page = await context.newPage()
})
afterEach(async () => {
  await context?.close()
  await stage?.close()
})

async function press(name: string | RegExp, on: Page = page): Promise<void> {
  await on.getByRole('button', { name }).first().click()
}

/** The broker's own page: who, and the second factor. */
async function logInAtBroker(on: Page = page, user?: string): Promise<void> {
  if (user !== undefined) await on.getByLabel('User').selectOption(user)
  await on.getByLabel(/code/i).fill(SIMULATED_CODE)
  await press('Log in', on)
}

/** Fills in the broker's page beside the browser: the address it would be sent to, before anybody has opened it. */
async function redirectOfBroker(): Promise<string> {
  const fields = await page
    .locator('input[type=hidden]')
    .evaluateAll((all) =>
      all.map((input): [string, string] => [
        input.getAttribute('name') ?? '',
        input.getAttribute('value') ?? '',
      ]),
    )
  const user = await page.getByLabel('User').inputValue()
  const body = new URLSearchParams([
    ...fields,
    ['user', user],
    ['code', SIMULATED_CODE],
    ['decision', 'approve'],
  ])
  const action = (await page.locator('form').getAttribute('action')) ?? ''
  const reply = await fetch(new URL(action, page.url()), { method: 'POST', body, redirect: 'manual' })
  return reply.headers.get('location') ?? ''
}

function heading(on: Page = page): Promise<string> {
  return on.getByRole('heading', { level: 1 }).innerText()
}

test('two taps of ours lead from the message to a proven token: the link, and one button', async () => {
  let taps = 1
  await page.goto(await stage.link('fyers/BINA'))
  expect(await heading()).toContain('3 accounts')
  taps += 1
  await press('Log in at FYERS for Bina')
  expect(await heading()).toContain('FYERS (simulated)')
  await logInAtBroker()
  expect(await heading()).toBe('Done: Bina at FYERS')
  expect(taps).toBe(2)
  const text = await page.locator('main').innerText()
  expect(text).toContain('BINA SIMULATED')
  expect(text).toContain('Tue 24 Nov 06:00 IST')
  expect(text).toMatch(/covers today.s session: yes, until 15:30/i)
  expect(await stage.record('fyers/BINA')).toMatchObject({ generation: 1, last: { outcome: 'refreshed' } })
  expect(stage.alerts.at(-1)).toMatchObject({ kind: 'solved', account: 'fyers/BINA' })
  expect(page.url()).not.toMatch(/[?&](auth_code|state|code)=/)
})

test('finishing one account leads to the next, until all are done', async () => {
  await page.goto(await stage.link('fyers/BINA'))
  await press(/FYERS for Bina/)
  await logInAtBroker()
  expect(await page.locator('main').innerText()).toContain('1 of 3 done')
  await press(/^Log in at/)
  await logInAtBroker()
  expect(await page.locator('main').innerText()).toContain('2 of 3 done')
  await press(/Log in at/)
  await logInAtBroker()
  expect(await page.locator('main').innerText()).toContain('3 of 3 done')
  await page.getByRole('link', { name: 'All accounts' }).click()
  expect(await heading()).toBe('Nothing to do')
})

describe('when something goes wrong', () => {
  test('a wrong second factor is the broker’s to say, and the login goes on', async () => {
    await page.goto(await stage.link('fyers/BINA'))
    await press(/FYERS for Bina/)
    await page.getByLabel(/code/i).fill('000000')
    await press('Log in')
    expect(await page.getByRole('alert').innerText()).toContain('Wrong code')
    await logInAtBroker()
    expect(await heading()).toBe('Done: Bina at FYERS')
  })

  test('the wrong account changes nothing, says whose login came back, and can be retried', async () => {
    await page.goto(await stage.link('fyers/BINA'))
    await press(/FYERS for Bina/)
    await logInAtBroker(page, 'XS00009')
    expect(await heading()).toContain('Wrong account')
    const text = await page.locator('main').innerText()
    expect(text).toContain('XS…09')
    expect(text).not.toContain('XS00009')
    expect(await stage.stored('fyers/BINA' as never, 'access_token')).toBeUndefined()
    stage.clock.advance({ minutes: 2 })
    await press(/again/)
    await logInAtBroker(page, 'XS00002')
    expect(await heading()).toBe('Done: Bina at FYERS')
  })

  test('a login that took eleven minutes is refused, and begins anew from there', async () => {
    await page.goto(await stage.link('fyers/BINA'))
    await press(/FYERS for Bina/)
    stage.clock.advance({ minutes: 11 })
    await logInAtBroker()
    expect(await stage.record('fyers/BINA')).toMatchObject({ generation: 0 })
    expect(await page.locator('main').innerText()).toContain('Nothing was changed')
    await page
      .getByRole('link', { name: /accounts/i })
      .first()
      .click()
    await press(/FYERS for Bina/)
    await logInAtBroker()
    expect(await heading()).toBe('Done: Bina at FYERS')
  })

  test('cancelling at the broker leads back with words and a button', async () => {
    await page.goto(await stage.link('upstox'))
    await press(/Log in at Upstox/)
    await press('Cancel')
    expect(await heading()).toBe('The login did not work')
    await press(/again/)
    await logInAtBroker()
    expect(await heading()).toContain('Done: Asha at Upstox')
  })
})

describe('the code is exchanged once', () => {
  test('although the button is pressed twice', async () => {
    await page.goto(await stage.link('fyers/BINA'))
    await page.getByRole('button', { name: /FYERS for Bina/ }).dblclick()
    await logInAtBroker()
    expect(await heading()).toBe('Done: Bina at FYERS')
    expect(await stage.record('fyers/BINA')).toMatchObject({ generation: 1 })
  })

  test('although the callback and the receipt are loaded again, and the back button is used', async () => {
    const callbacks: string[] = []
    page.on('request', (request) => {
      if (request.url().includes('/callback/')) callbacks.push(request.url())
    })
    await page.goto(await stage.link('fyers/BINA'))
    await press(/FYERS for Bina/)
    await logInAtBroker()
    const receipt = page.url()
    await page.reload()
    expect(await heading()).toBe('Done: Bina at FYERS')
    await page.goto(callbacks[0] ?? '')
    expect(page.url()).toBe(receipt)
    expect(await heading()).toBe('Done: Bina at FYERS')
    await page.goBack()
    await page.goForward()
    expect(await heading()).toBe('Done: Bina at FYERS')
    expect(await stage.record('fyers/BINA')).toMatchObject({ generation: 1 })
  })

  test('in each of two browsers that log in at once, and neither ends the other’s login', async () => {
    const other = await chromium.newContext({ viewport: DESKTOP })
    const second = await other.newPage()
    await page.goto(await stage.link('upstox'))
    await second.goto(await stage.link('zerodha'))
    await press(/Log in at Upstox/)
    await press(/Log in at Zerodha/, second)
    await logInAtBroker(second)
    await logInAtBroker(page)
    expect(await heading(page)).toContain('Done: Asha at Upstox')
    expect(await heading(second)).toContain('Done: Esha at Zerodha')
    await other.close()
  })

  test('and a browser that did not begin it gets nothing, not even with the whole address', async () => {
    await page.goto(await stage.link('fyers/BINA'))
    await press(/FYERS for Bina/)
    const callback = await redirectOfBroker()
    const thief = await chromium.newContext()
    const elsewhere = await thief.newPage()
    await elsewhere.goto(await stage.link('upstox'))
    await elsewhere.goto(callback)
    expect(await stage.record('fyers/BINA')).toMatchObject({ generation: 0 })
    expect(await elsewhere.locator('main').innerText()).toMatch(/another browser/i)
    await thief.close()
    await page.goto(callback)
    expect(await heading()).toBe('Done: Bina at FYERS')
  })
})

test('a mail scanner that opens every link and posts every form changes nothing', async () => {
  const before = await stage.everything()
  const links = new Set([
    await stage.link('fyers/BINA'),
    await stage.link('upstox'),
    await stage.link('zerodha'),
  ])
  for (const link of links) {
    for (const method of ['GET', 'HEAD', 'GET']) {
      const reply = await fetch(link, { method, redirect: 'manual' })
      const text = await reply.text()
      for (const [, href = ''] of text.matchAll(/href="([^"]+)"/g)) {
        const url = new URL(href, stage.siteUrl).href
        if (links.size < 30 && url.startsWith(stage.siteUrl)) links.add(url)
      }
      for (const [, action = '', inner = ''] of text.matchAll(
        /<form method="post" action="([^"]*)">([\s\S]*?)<\/form>/g,
      )) {
        const fields = [...inner.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map<[string, string]>(
          ([, name = '', value = '']) => [name, value],
        )
        const posted = await fetch(new URL(action, stage.siteUrl), {
          method: 'POST',
          body: new URLSearchParams(fields),
          redirect: 'manual',
        })
        expect(posted.status).toBe(403)
      }
    }
  }
  expect(links.size).toBeGreaterThanOrEqual(3)
  expect(await stage.everything()).toBe(before)
})

describe('the approval in the Upstox app', () => {
  test('waits, and shows the receipt once the holder has approved on the phone', async () => {
    await page.goto(await stage.link('upstox'))
    await press(/Ask me in the Upstox app/)
    expect(await page.getByRole('status').innerText()).toMatch(/wait/i)
    const phone = await chromium.newPage()
    await phone.goto(stage.phone)
    await press('Approve', phone)
    await phone.close()
    // The page looks again by itself, without a script.
    await page.getByRole('heading', { name: /Done: Asha at Upstox/ }).waitFor({ timeout: 15_000 })
    expect(await stage.record('upstox')).toMatchObject({ accessToken: { source: 'approval' } })
  })

  test('offers the web login meanwhile', async () => {
    await page.goto(await stage.link('upstox'))
    await press(/Ask me in the Upstox app/)
    await press(/Log in at Upstox/)
    await logInAtBroker()
    expect(await heading()).toContain('Done: Asha at Upstox')
  })
})

describe('FYERS’ fixed redirect URI', () => {
  test('ends by pasting the address of the page one lands on', async () => {
    const fixed = 'https://trade.fyers.in/api-login/redirect-to-app'
    await stage.store('fyers/BINA' as never, { redirect_uri: fixed })
    await context.route(`${fixed}**`, (route) => route.fulfill({ body: 'FYERS' }))
    await page.goto(await stage.link('fyers/BINA'))
    await press(/FYERS for Bina/)
    const [atBroker] = await Promise.all([
      context.waitForEvent('page'),
      page.getByRole('link', { name: /FYERS/ }).first().click(),
    ])
    await logInAtBroker(atBroker)
    await atBroker.waitForURL(`${fixed}**`)
    await page.getByRole('textbox').fill(atBroker.url())
    await press(/.+/)
    expect(await heading()).toBe('Done: Bina at FYERS')
  })
})

describe('the pages are for everybody', () => {
  test.each([
    ['phone', PHONE, 'light'],
    ['phone', PHONE, 'dark'],
    ['desktop', DESKTOP, 'light'],
  ] as const)(
    'on a %s (%o, %s): readable, nothing to scroll sideways, nothing serious for axe',
    async (name, viewport, colorScheme) => {
      const seen = await chromium.newContext({ viewport, colorScheme, bypassCSP: false })
      const on = await seen.newPage()
      const look = async (what: string): Promise<void> => {
        expect(await seriousFindings(on), what).toEqual([])
        const widths = await on.evaluate<[number, number]>(
          '[document.documentElement.scrollWidth, window.innerWidth]',
        )
        expect(widths[0], what).toBeLessThanOrEqual(widths[1])
        const picture = `${what}-${name}-${colorScheme}`
      if (process.env['UPDATE_PICTURES'] && !IN_README.includes(picture)) return
      await on.screenshot({ path: resolve(PICTURES, `${picture}.png`), fullPage: true })
      await on.goto(await stage.link('fyers/BINA'))
      await look('login')
      await press(/Ask me in the Upstox app/, on)
      await look('waiting')
      await on.goto(await stage.link('fyers/BINA'))
      await press(/FYERS for Bina/, on)
      await logInAtBroker(on, 'XS00009')
      await look('wrong-account')
      stage.clock.advance({ minutes: 2 })
      await press(/again/, on)
      await logInAtBroker(on, 'XS00002')
      await look('receipt')
      await on.goto(`${stage.siteUrl}/login?account=fyers&sig=forged`)
      await look('forged-link')
      await seen.close()
    },
  )

  test('at 320 px, with large text, and with the keyboard alone', async () => {
    await page.setViewportSize({ width: 320, height: 640 })
    await page.goto(await stage.link('fyers/BINA'))
    const narrow = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, window.innerWidth]',
    )
    expect(narrow[0]).toBeLessThanOrEqual(narrow[1])
    for (const button of await page.getByRole('button').all()) {
      expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44)
    }
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForURL(/generate-authcode/)
    expect(await heading()).toContain('(simulated)')
  })
})
