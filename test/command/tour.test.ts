import { afterEach, beforeEach, expect, test } from 'vitest'
import { CommandLine, type Ended, ended } from './command.ts'
import { type Heard, heard } from './heard.ts'
import { WebBrowser } from './web-browser.ts'

let line: CommandLine
let browser: WebBrowser

beforeEach(async () => {
  line = await CommandLine.start()
  browser = new WebBrowser()
})
afterEach(() => line.close())

interface Tour extends Heard {
  readonly url: string
  readonly phone: string
  stop(): Promise<Ended>
}

/** `npm start` of somebody who has no account yet. */
async function tour(args: readonly string[] = []): Promise<Tour> {
  const child = line.spawn(['serve', '--port', '0', ...args])
  const end = ended(child)
  const { said, saying } = heard(child, [child.stdout])
  await saying('Somebody is needed for')
  const addressOf = (label: string): string =>
    new RegExp(`${label}: +(http://127\\.0\\.0\\.1:\\S+)`).exec(said())?.[1] ?? ''
  return {
    url: addressOf('Login page').replace('/login', ''),
    phone: addressOf("Asha's telephone"),
    said,
    saying,
    stop() {
      child.kill('SIGINT')
      return end
    },
  }
}

async function simulatedTime({ url }: Tour): Promise<number> {
  const { time } = (await (await fetch(`${url}/health`)).json()) as { time: string }
  return Date.parse(time)
}

test('a newcomer clicks through every login of the rehearsal, while its clock waits for them', async () => {
  const started = await tour()
  // By then the last tokens of yesterday have died, and Bina is needed as well.
  await started.saying('fyers/BINA     login needed')
  await expect
    .poll(() => simulatedTime(started), { interval: 10 })
    .toBeGreaterThanOrEqual(Date.parse('2026-11-23T06:01:00+05:30'))
  await browser.open(`${started.url}/login`)
  const before = await simulatedTime(started)
  const began = performance.now()
  expect(browser.text).toContain('4 accounts need you')
  const users: Record<string, string> = { fyers: 'XS00002' }
  for (const account of ['fyers/BINA', 'zerodha', 'iifl/SIM10003']) {
    await browser.submit(new RegExp(`^/login/${account}/start$`))
    expect(browser.text).toContain('(simulated)')
    await browser.logIn(users[account.split('/')[0] ?? ''])
    expect(browser.text).toContain('Logged in, proven and saved')
    expect(browser.url).toMatch(/\/receipt\//)
    await browser.open(`${started.url}/login`)
  }
  expect(browser.text).toContain('1 account needs you')

  await browser.submit(/^\/login\/upstox\/ASHA\/approve$/)
  expect(browser.text).toContain('Approve in the Upstox app')
  const phone = await new WebBrowser().open(started.phone)
  await phone.submit(/./, { user: 'SIM001', decision: 'approve' })
  expect(phone.text).toContain('Approved.')
  await browser.open(browser.url)
  expect(browser.text).toContain('Logged in, proven and saved')
  expect(browser.text).toContain('Covers today')
  await browser.open(`${started.url}/login`)
  expect(browser.text).toContain('No account waits for a person.')

  // At its usual speed the clock would have gone 300 times as far.
  const real = performance.now() - began
  expect((await simulatedTime(started)) - before).toBeLessThan(real * 2 + 1_000)

  const { code, stdout, stderr } = await started.stop()
  expect(code).toBe(0)
  expect(stdout).toMatch(/fyers\/BINA +logged in +proven, live until Tue 06:00 \(BINA SIMULATED\)/)
  expect(stdout).toMatch(/upstox\/ASHA +logged in +proven, live until Tue 03:30/)
  expect(stdout + stderr).not.toMatch(/eyJ[\w-]+\.|state=|SIMULATED-[a-z]/)
})

test('somebody else’s login in the rehearsal changes nothing, and the page says whose came back', async () => {
  const started = await tour()
  await started.saying('fyers/BINA     login needed')
  // Since then it is known whose account it is.
  expect(started.said()).toContain('fyers/BINA     refreshed')
  await browser.open(`${started.url}/login`)
  await browser.submit(/^\/login\/fyers\/BINA\/start$/)
  await browser.logIn('XS00001')
  expect(browser.text).toContain('Wrong account: nothing was changed')
  await started.saying('fyers/BINA     login failed')
  await started.stop()
})

test('when nobody clicks, the rehearsal goes on by itself: Bina logs in before the market opens', async () => {
  const started = await tour(['--speed', '100'])
  await started.saying('Solved: FYERS Bina')
  await started.saying('fyers/BINA     logged in')
  const { code, stdout } = await started.stop()
  expect(code).toBe(0)
  expect(stdout).toMatch(/login needed[\s\S]*logs in at FYERS by herself[\s\S]*fyers\/BINA +logged in/)
})
