import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { seriousFindings } from './support/accessibility.ts'
import { launchChromium } from './support/chromium.ts'
import { Stage } from './support/stage.ts'
import { DESKTOP, heading, logInAtBroker, PHONE, press } from './support/steps.ts'

/** Where CI takes artefacts from. The README's are copies: UPDATE_PICTURES=1 npm run test:browser renews them. */
const UPDATES = Boolean(process.env['UPDATE_PICTURES'])
const PICTURES = UPDATES
  ? resolve(import.meta.dirname, 'pictures')
  : resolve(import.meta.dirname, '../../.cache/pictures')
const IN_README = ['login-phone-light', 'receipt-phone-light', 'login-desktop-light']
const WIDTHS = '[document.documentElement.scrollWidth, window.innerWidth]'

let chromium: Browser
let stage: Stage
let context: BrowserContext

beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true })
  chromium = await launchChromium()
})
afterAll(() => chromium?.close())
beforeEach(async () => {
  stage = await Stage.open()
})
afterEach(async () => {
  await context?.close()
  await stage?.close()
})

async function assertFits(page: Page, what: string): Promise<void> {
  const [content = 0, window = 0] = await page.evaluate<number[]>(WIDTHS)
  expect(content, what).toBeLessThanOrEqual(window)
}

describe('the pages are for everybody', () => {
  test.each([
    ['phone', PHONE, 'light'],
    ['phone', PHONE, 'dark'],
    ['desktop', DESKTOP, 'light'],
  ] as const)(
    'on a %s (%o, %s): nothing scrolls sideways, nothing is serious for axe',
    async (name, viewport, colorScheme) => {
      context = await chromium.newContext({ viewport, colorScheme })
      const page = await context.newPage()
      const look = async (what: string): Promise<void> => {
        expect(await seriousFindings(page), what).toEqual([])
        await assertFits(page, what)
        const picture = `${what}-${name}-${colorScheme}`
        if (UPDATES && !IN_README.includes(picture)) return
        await page.screenshot({ path: resolve(PICTURES, `${picture}.png`), fullPage: true })
      }
      await page.goto(await stage.link('fyers/BINA'))
      await look('login')
      await press(page, /Ask me in the Upstox app/)
      await look('waiting')
      await page.goto(await stage.link('fyers/BINA'))
      await press(page, /FYERS for Bina/)
      await logInAtBroker(page, 'XS00009')
      await look('wrong-account')
      stage.clock.advance({ minutes: 2 })
      await press(page, /again/)
      await logInAtBroker(page, 'XS00002')
      await look('receipt')
      await page.goto(`${stage.siteUrl}/login?account=fyers&sig=forged`)
      await look('forged-link')
    },
  )

  test('at 320 px, with targets big enough for a thumb, and with the keyboard alone', async () => {
    context = await chromium.newContext({ viewport: { width: 320, height: 640 }, javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(await stage.link('fyers/BINA'))
    await assertFits(page, 'login')
    for (const button of await page.getByRole('button').all()) {
      expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44)
    }
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForURL(/generate-authcode/)
    expect(await heading(page)).toContain('(simulated)')
  })
})
