import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { launchChromium } from './support/chromium.ts'
import { Stage } from './support/stage.ts'
import { DESKTOP, heading, logInAtBroker, PHONE, press, redirectOfBroker, textOf } from './support/steps.ts'

let chromium: Browser
let stage: Stage
let context: BrowserContext
let page: Page

beforeAll(async () => {
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

test('two taps of ours lead from the message to a proven token: the link, and one button', async () => {
  let taps = 1
  await page.goto(await stage.link('fyers/BINA'))
  expect(await heading(page)).toContain('3 accounts')
  taps += 1
  await press(page, 'Log in at FYERS for Bina')
  expect(await heading(page)).toContain('FYERS (simulated)')
  await logInAtBroker(page)
  expect(await heading(page)).toBe('Done: Bina at FYERS')
  expect(taps).toBe(2)
  const text = await textOf(page)
  expect(text).toContain('BINA SIMULATED')
  expect(text).toContain('Tue 24 Nov 06:00 IST')
  expect(text).toMatch(/covers today.s session: yes, until 15:40/i)
  expect(await stage.recordOf('fyers/BINA')).toMatchObject({ generation: 1, last: { outcome: 'refreshed' } })
  expect(stage.alerts.at(-1)).toMatchObject({ kind: 'solved', account: 'fyers/BINA' })
  expect(page.url()).not.toMatch(/[?&](auth_code|state|code)=/)
})

test('finishing one account leads to the next, until all are done', async () => {
  await page.goto(await stage.link('fyers/BINA'))
  await press(page, /FYERS for Bina/)
  await logInAtBroker(page)
  expect(await textOf(page)).toContain('1 of 3 done')
  await press(page, /^Log in at/)
  await logInAtBroker(page)
  expect(await textOf(page)).toContain('2 of 3 done')
  await press(page, /Log in at/)
  await logInAtBroker(page)
  expect(await textOf(page)).toContain('3 of 3 done')
  await page.getByRole('link', { name: 'All accounts' }).click()
  expect(await heading(page)).toBe('Nothing to do')
})

describe('when something goes wrong', () => {
  test('a wrong second factor is the broker’s to say, and the login goes on', async () => {
    await page.goto(await stage.link('fyers/BINA'))
    await press(page, /FYERS for Bina/)
    await page.getByLabel(/code/i).fill('000000')
    await press(page, 'Log in')
    expect(await page.getByRole('alert').innerText()).toContain('Wrong code')
    await logInAtBroker(page)
    expect(await heading(page)).toBe('Done: Bina at FYERS')
  })

  test('the wrong account changes nothing, says whose login came back, and can be retried', async () => {
    await page.goto(await stage.link('fyers/BINA'))
    await press(page, /FYERS for Bina/)
    await logInAtBroker(page, 'XS00009')
    expect(await heading(page)).toContain('Wrong account')
    const text = await textOf(page)
    expect(text).toContain('XS…09')
    expect(text).not.toContain('XS00009')
    expect(await stage.stored('fyers/BINA' as never, 'access_token')).toBeUndefined()
    stage.clock.advance({ minutes: 2 })
    await press(page, /again/)
    await logInAtBroker(page, 'XS00002')
    expect(await heading(page)).toBe('Done: Bina at FYERS')
  })

  test('a login that took eleven minutes is refused, and begins anew from there', async () => {
    await page.goto(await stage.link('fyers/BINA'))
    await press(page, /FYERS for Bina/)
    stage.clock.advance({ minutes: 11 })
    await logInAtBroker(page)
    expect(await stage.recordOf('fyers/BINA')).toMatchObject({ generation: 0 })
    expect(await textOf(page)).toContain('Nothing was changed')
    await page
      .getByRole('link', { name: /accounts/i })
      .first()
      .click()
    await press(page, /FYERS for Bina/)
    await logInAtBroker(page)
    expect(await heading(page)).toBe('Done: Bina at FYERS')
  })

  test('cancelling at the broker leads back with words and a button', async () => {
    await page.goto(await stage.link('upstox'))
    await press(page, /Log in at Upstox/)
    await press(page, 'Cancel')
    expect(await heading(page)).toBe('The login did not work')
    await press(page, /again/)
    await logInAtBroker(page)
    expect(await heading(page)).toContain('Done: Asha at Upstox')
  })
})

describe('the code is exchanged once', () => {
  test('although the button is pressed twice', async () => {
    await page.goto(await stage.link('fyers/BINA'))
    await page.getByRole('button', { name: /FYERS for Bina/ }).dblclick()
    await logInAtBroker(page)
    expect(await heading(page)).toBe('Done: Bina at FYERS')
    expect(await stage.recordOf('fyers/BINA')).toMatchObject({ generation: 1 })
  })

  test('although the callback and the receipt are loaded again, and the back button is used', async () => {
    const callbacks: string[] = []
    page.on('request', (request) => {
      if (request.url().includes('/callback/')) callbacks.push(request.url())
    })
    await page.goto(await stage.link('fyers/BINA'))
    await press(page, /FYERS for Bina/)
    await logInAtBroker(page)
    const receipt = page.url()
    await page.reload()
    expect(await heading(page)).toBe('Done: Bina at FYERS')
    await page.goto(callbacks[0] ?? '')
    expect(page.url()).toBe(receipt)
    expect(await heading(page)).toBe('Done: Bina at FYERS')
    await page.goBack()
    await page.goForward()
    expect(await heading(page)).toBe('Done: Bina at FYERS')
    expect(await stage.recordOf('fyers/BINA')).toMatchObject({ generation: 1 })
  })

  test('in each of two browsers that log in at once, and neither ends the other’s login', async () => {
    const other = await chromium.newContext({ viewport: DESKTOP })
    const second = await other.newPage()
    await page.goto(await stage.link('upstox'))
    await second.goto(await stage.link('zerodha'))
    await press(page, /Log in at Upstox/)
    await press(second, /Log in at Zerodha/)
    await logInAtBroker(second)
    await logInAtBroker(page)
    expect(await heading(page)).toContain('Done: Asha at Upstox')
    expect(await heading(second)).toContain('Done: Esha at Zerodha')
    await other.close()
  })

  test('and a browser that did not begin it gets nothing, not even with the whole address', async () => {
    await page.goto(await stage.link('fyers/BINA'))
    await press(page, /FYERS for Bina/)
    const callback = await redirectOfBroker(page)
    const thief = await chromium.newContext()
    const elsewhere = await thief.newPage()
    await elsewhere.goto(await stage.link('upstox'))
    await elsewhere.goto(callback)
    expect(await stage.recordOf('fyers/BINA')).toMatchObject({ generation: 0 })
    expect(await textOf(elsewhere)).toMatch(/another browser/i)
    await thief.close()
    await page.goto(callback)
    expect(await heading(page)).toBe('Done: Bina at FYERS')
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
    await press(page, /Ask me in the Upstox app/)
    expect(await page.getByRole('status').innerText()).toMatch(/wait/i)
    const phone = await chromium.newPage()
    await phone.goto(stage.phone)
    await press(phone, 'Approve')
    await phone.close()
    // The page looks again by itself, without a script.
    await page.getByRole('heading', { name: /Done: Asha at Upstox/ }).waitFor({ timeout: 15_000 })
    expect(await stage.recordOf('upstox')).toMatchObject({ accessToken: { source: 'approval' } })
  })

  test('offers the web login meanwhile', async () => {
    await page.goto(await stage.link('upstox'))
    await press(page, /Ask me in the Upstox app/)
    await press(page, /Log in at Upstox/)
    await logInAtBroker(page)
    expect(await heading(page)).toContain('Done: Asha at Upstox')
  })
})

describe('FYERS’ fixed redirect URI', () => {
  test('ends by pasting the address of the page one lands on', async () => {
    const fixed = 'https://trade.fyers.in/api-login/redirect-to-app'
    await stage.store('fyers/BINA' as never, { redirect_uri: fixed })
    await context.route(`${fixed}**`, (route) => route.fulfill({ body: 'FYERS' }))
    await page.goto(await stage.link('fyers/BINA'))
    await press(page, /FYERS for Bina/)
    const [atBroker] = await Promise.all([
      context.waitForEvent('page'),
      page.getByRole('link', { name: /FYERS/ }).first().click(),
    ])
    await logInAtBroker(atBroker)
    await atBroker.waitForURL(`${fixed}**`)
    await page.getByRole('textbox').fill(atBroker.url())
    await press(page, /.+/)
    expect(await heading(page)).toBe('Done: Bina at FYERS')
  })
})
