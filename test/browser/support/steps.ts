import type { Page } from 'playwright-core'
import { SIMULATED_CODE } from '../../../lib/simulators/kit/login-page.ts'

export const PHONE = { width: 360, height: 740 }
export const DESKTOP = { width: 1280, height: 900 }

/** Taps the first button of that name and waits for the page it leads to: without scripts each leads to one. */
export async function press(page: Page, name: string | RegExp): Promise<void> {
  const arrived = page.waitForEvent('domcontentloaded')
  await page.getByRole('button', { name }).first().click()
  await arrived
}

/** The broker's own page: who, and the second factor. */
export async function logInAtBroker(page: Page, user?: string): Promise<void> {
  if (user !== undefined) await page.getByLabel('User').selectOption(user)
  await page.getByLabel(/code/i).fill(SIMULATED_CODE)
  await press(page, 'Log in')
}

/** Fills in the broker's page beside the browser: the address it would be sent to, before anybody has opened it. */
export async function redirectOfBroker(page: Page): Promise<string> {
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

export function heading(page: Page): Promise<string> {
  return page.getByRole('heading', { level: 1 }).innerText()
}

export function textOf(page: Page): Promise<string> {
  return page.locator('main').innerText()
}
