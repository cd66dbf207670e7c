import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { CommandLine, type Ended, ended } from './command.ts'
import { type Heard, heard } from './heard.ts'
import { WebBrowser } from './web-browser.ts'

const FYERS = { FYERS_CLIENT_ID: 'SIMFYERS01-100', FYERS_APP_SECRET: 'SIMULATED-fyers-app-secret' }
const UPSTOX = {
  UPSTOX_API_KEY: '00000000-0000-4000-8000-simulated001',
  UPSTOX_API_SECRET: 'SIMULATED-upstox-secret',
}

let line: CommandLine
let port: number
let siteUrl: string
let browser: WebBrowser
const children: ChildProcess[] = []

beforeEach(async () => {
  port = await freePort()
  siteUrl = `http://127.0.0.1:${port}`
  line = await CommandLine.start({ siteUrl })
  browser = new WebBrowser()
})
afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
  await line.close()
})

interface Running extends Heard {
  readonly end: Promise<Ended>
  readonly child: ChildProcess
}

function start(args: readonly string[]): Running {
  const child = line.spawn(args)
  children.push(child)
  return { child, end: ended(child), ...heard(child) }
}

function configured(url: string): string {
  const brokers = { fyers: {}, upstox: {} }
  return line.file('site.json', JSON.stringify({ context: { tokenkeeper: { brokers, site: { url } } } }))
}

async function setUp(account: string, env: NodeJS.ProcessEnv, more: readonly string[] = []): Promise<void> {
  const done = await line.run(['setup', account, '--no-refresh', ...more], { env })
  expect(done).toMatchObject({ code: 0 })
}

test('the links of serve’s alerts open its login page, and a login at the command line leads there too', async () => {
  await setUp('fyers', FYERS, ['--nickname', 'Asha'])
  const config = configured(siteUrl)
  const serve = start(['serve', '--config', config])
  const link = await serve.saying(/http:\/\/127\.0\.0\.1:\d+\/login\?account=fyers&\S+/)
  expect(link.startsWith(`${siteUrl}/`)).toBe(true)
  await serve.saying(`Somebody is needed for 1 account: open ${siteUrl}/login`)

  const login = start(['login', 'fyers', '--config', config])
  const page = await login.saying(/http:\/\/127\.0\.0\.1:\d+\/login\?account=fyers&\S+/)
  await browser.open(page)
  expect(browser.text).toContain('Asha at FYERS')
  await browser.submit(/^\/login\/fyers\/start$/)
  await browser.logIn('XS00001')
  expect(browser.text).toContain('Logged in, proven and saved')
  expect(await login.end).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('fyers: logged in as ASHA SIMULATED (XS00001)'),
  })
  await serve.saying(/fyers +logged in +proven, live until Tue 06:00/)
  serve.child.kill('SIGINT')
  expect(await serve.end).toMatchObject({ code: 0 })
})

test('a login that fails on the page is told at the command line, which waits for the next one', async () => {
  await setUp('fyers', FYERS)
  await line.run(['login', 'fyers', '--code', '-'], { stdin: line.world.fyers.authCodeFor('XS00001') })
  const config = configured(siteUrl)
  const first = start(['serve', '--config', config])
  await first.saying('live until')
  expect(await start(['login', 'fyers', '--config', config]).end).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('fyers: no login is needed: logged in as ASHA SIMULATED'),
  })
  first.child.kill('SIGINT')
  await first.end

  line.clock.advance(48 * 60)
  const serve = start(['serve', '--config', config])
  await serve.saying('login needed')
  const login = start(['login', 'fyers', '--config', config])
  await browser.open(await login.saying(/http:\/\/127\.0\.0\.1:\d+\/login\?\S+/))
  await browser.submit(/^\/login\/fyers\/start$/)
  await browser.logIn('XS00002')
  expect(browser.text).toContain('Wrong account: nothing was changed')
  await login.saying('fyers: not logged in. The token belongs to XS…02')
  await login.saying('Still waiting: try again on the page.')
  login.child.kill('SIGINT')
  expect(await login.end).toMatchObject({
    code: 130,
    stderr: expect.stringContaining('Cancelled; nothing was changed.'),
  })
})

test('--approve has Upstox ask in its app, and waits until the answer was posted to serve', async () => {
  await setUp('upstox/ASHA', UPSTOX, ['--option', 'upstream=off'])
  const config = configured(siteUrl)
  // Approvals are for a user who is known.
  const { stdout: address } = await line.run(['login', 'upstox/ASHA', '--print-url', '--config', config])
  await browser.open(address.trim())
  const landed = await browser.whereTo(/./, { code: '123456', decision: 'approve', user: 'SIM001' })
  await line.run(['login', 'upstox/ASHA', '--code', '-', '--config', config], { stdin: landed })

  const notifier = await line.run(['login', 'upstox/ASHA', '--webhook-url', '--config', config])
  line.world.upstox.notify(notifier.stdout.trim())
  const serve = start(['serve', '--config', config])
  await serve.saying('Login page:')
  const login = start(['login', 'upstox/ASHA', '--approve', '--config', config])
  await login.saying('approve in its app')
  const phone = await new WebBrowser().open(line.world.phone)
  await phone.submit(/./, { user: 'SIM001', decision: 'approve' })
  expect(await login.end).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('upstox/ASHA: logged in as ASHA SIMULATED (SIM001)'),
  })
  await serve.saying(/upstox\/ASHA +logged in/)
})

test('behind a public address the pages open by a signed link only, and the status of accounts needs an API key', async () => {
  await setUp('fyers', FYERS)
  const serve = start([
    'serve',
    '--port',
    String(port),
    '--config',
    configured('https://tokens.example.invalid'),
  ])
  await serve.saying(/https:\/\/tokens\.example\.invalid\/login\?account=fyers&\S+/)
  const answers = await Promise.all(
    [
      ['tokens.example.invalid', '/login'],
      [`127.0.0.1:${port}`, '/login'],
      ['tokens.example.invalid', '/token/status'],
      [`127.0.0.1:${port}`, '/token/status'],
      ['rebound.example', '/login'],
      ['tokens.example.invalid', '/health'],
    ].map(([host = '', path = '']) => statusOf(host, path)),
  )
  expect(answers).toEqual([403, 403, 401, 401, 421, 200])
})

async function statusOf(host: string, path: string): Promise<number | undefined> {
  const asked = request(`${siteUrl}${path}`, { headers: { host } })
  asked.end()
  const [reply] = await once(asked, 'response')
  reply.resume()
  return reply.statusCode
}
