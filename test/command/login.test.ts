import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { CALL, CommandLine, type Ended, ended } from './command.ts'
import { type Heard, heard } from './heard.ts'
import { WebBrowser } from './web-browser.ts'

const FYERS_OWN_REDIRECT = 'https://trade.fyers.in/api-login/redirect-to-app'
const APP = { FYERS_CLIENT_ID: 'SIMFYERS01-100', FYERS_APP_SECRET: 'SIMULATED-fyers-app-secret' }
const ASHA = 'XS00001'
const BINA = 'XS00002'

let line: CommandLine
let browser: WebBrowser
const outputs: Ended[] = []
/** Every one-time value there was; none may be repeated anywhere but in the address to log in at. */
const oneTime: string[] = []

beforeAll(async () => {
  line = await CommandLine.start()
})
afterAll(() => line.close())
beforeEach(() => {
  browser = new WebBrowser()
  laterByTwoMinutes()
})

async function run(args: readonly string[], stdin = '', env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const done = await line.run(args, { stdin, env })
  outputs.push(done)
  return done
}

/** FYERS wants a minute between two logins of an account. */
function laterByTwoMinutes(): void {
  line.clock.advance(2)
}

/** Sets an account up anew, with nobody known for it. */
async function setUp(account: string, redirectUri?: string): Promise<void> {
  const done = await run(['setup', account, '--forget-user', '--no-refresh'], '', {
    ...APP,
    ...(redirectUri && { FYERS_REDIRECT_URI: redirectUri }),
  })
  expect(done).toMatchObject({ code: 0 })
}

/** Step one: the address to log in at. */
async function begin(account: string): Promise<string> {
  const { stdout } = await run(['login', account, '--print-url'])
  return noted(stdout.trim())
}

/** The person at the broker; where the browser is sent. */
async function atBroker(address: string, user = ASHA): Promise<string> {
  await browser.open(address)
  return noted(await browser.whereTo(/./, { code: '123456', decision: 'approve', user }))
}

function noted(address: string): string {
  const { searchParams } = new URL(address)
  for (const name of ['state', 'auth_code', 'request_token']) {
    const value = searchParams.get(name)
    if (value) oneTime.push(value)
  }
  return address
}

interface Waiting extends Heard {
  readonly address: string
  paste(text: string): void
  readonly end: Promise<Ended>
}

/** A login that waits for the person. */
async function waiting(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Waiting> {
  const child = line.spawn(['login', ...args], env)
  const end = ended(child).then((done) => {
    outputs.push(done)
    return done
  })
  const { said, saying } = heard(child)
  await saying('\n\nhttp')
  await saying('inutes')
  const address = noted(/^http\S+$/m.exec(said())?.[0] ?? '')
  return { address, said, saying, end, paste: (text) => child.stdin?.write(`${text}\n`) }
}

async function generation(account: string): Promise<number> {
  const { accounts } = JSON.parse((await run(['status', account, '--json'])).stdout)
  return accounts[0].generation
}

describe('R3.1 the three steps of a login, each alone', () => {
  test('step 1 prints the address and nothing else; steps 2 and 3 take the whole address the browser ends at', async () => {
    await setUp('fyers', FYERS_OWN_REDIRECT)
    const first = await run(['login', 'fyers', '--print-url'])
    expect(first.code).toBe(0)
    expect(first.stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api\/v3\/generate-authcode\?\S+\n$/)
    const landed = await atBroker(noted(first.stdout.trim()))
    expect(landed).toMatch(/^https:\/\/trade\.fyers\.in\/api-login\/redirect-to-app\?/)
    const done = await run(['login', 'fyers', '--code', landed])
    expect(done).toMatchObject({ code: 0, stderr: '' })
    expect(done.stdout).toContain('logged in as ASHA SIMULATED (XS00001), valid until Tue 24 Nov 06:00 IST')
    expect(done.stdout).toContain("Covers today's session: yes, until 15:40.")
    expect(await generation('fyers')).toBe(1)
  })

  test('- reads it from stdin, where no other user of the machine can see it', async () => {
    const landed = await atBroker(await begin('fyers'))
    const done = await run(['login', 'fyers', '--code', '-'], `${landed}\n`)
    expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('logged in as ASHA SIMULATED') })
  })

  test('a bare code will do', async () => {
    const code = new URL(await atBroker(await begin('fyers'))).searchParams.get('auth_code') ?? ''
    const done = await run(['login', 'fyers', '--code', '-'], code)
    expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('logged in as ASHA SIMULATED') })
  })

  test('a bare code of a broker that wants the redirect URI again belongs to the login last begun', async () => {
    const env = {
      UPSTOX_API_KEY: '00000000-0000-4000-8000-simulated001',
      UPSTOX_API_SECRET: 'SIMULATED-upstox-secret',
    }
    await run(['setup', 'upstox/ASHA', '--option', 'upstream=off', '--no-refresh'], '', env)
    await browser.open(await begin('upstox/ASHA'))
    const landed = await browser.whereTo(/./, { code: '123456', decision: 'approve', user: 'SIM001' })
    const code = new URL(noted(landed)).searchParams.get('code') ?? ''
    const done = await run(['login', 'upstox/ASHA', '--code', '-'], code)
    expect(done).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('valid until Tue 24 Nov 03:30 IST'),
    })
  })

  test('a bare code that is given twice is sent once, and ends as it did', async () => {
    const code = new URL(await atBroker(await begin('fyers'))).searchParams.get('auth_code') ?? ''
    const first = await run(['login', 'fyers', '--code', '-'], code)
    const before = await generation('fyers')
    const again = await run(['login', 'fyers', '--code', '-'], code)
    expect(again).toMatchObject({ code: 0, stdout: first.stdout })
    expect(await generation('fyers')).toBe(before)
  })

  test('R3.10 a code that was used before is named as what it is, with what helps', async () => {
    const landed = await atBroker(await begin('fyers'))
    const code = new URL(landed).searchParams.get('auth_code') ?? ''
    await setUp('fyers/TWIN', FYERS_OWN_REDIRECT)
    await run(['login', 'fyers/TWIN', '--code', '-'], code)
    laterByTwoMinutes()
    const again = await run(['login', 'fyers', '--code', '-'], code)
    expect(again).toMatchObject({ code: 4, stdout: '' })
    expect(again.stderr).toContain(
      'The old token is left as it was: proven Mon 23 Nov 07:10 IST, valid until Tue 24 Nov 06:00 IST.',
    )
    expect(again.stderr).toMatch(/Fix: log in at FYERS/)
  })

  test.each([
    ['nothing', '', 'nothing was given'],
    ['two words', 'no code', 'more than one word'],
    ['an address without a code', 'https://trade.fyers.in/help', 'there is no code in this address'],
  ])('%s is no code, and nothing is asked of the broker', async (_, given, says) => {
    const before = line.world.servers[0]?.server.count('/api/v3/validate-authcode')
    const done = await run(['login', 'fyers', '--code', '-'], given)
    expect(done).toMatchObject({ code: 4, stderr: expect.stringContaining(says) })
    expect(line.world.servers[0]?.server.count('/api/v3/validate-authcode')).toBe(before)
  })

  test('the address of the login page itself, copied too early, uses up nothing', async () => {
    const address = await begin('fyers')
    const early = await run(['login', 'fyers', '--code', '-'], address)
    expect(early).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('not the page where the login ends'),
    })
    const done = await run(['login', 'fyers', '--code', '-'], await atBroker(address))
    expect(done).toMatchObject({ code: 0 })
  })
})

describe('R3.1 a login that waits for the person', () => {
  test('the browser comes back to a listener on this machine, which answers it and nobody else', async () => {
    const port = await freePort()
    const callback = `http://127.0.0.1:${port}/my/callback`
    await setUp('fyers/LISTENER', callback)
    const login = await waiting(['fyers/LISTENER'])
    expect(new URL(login.address).searchParams.get('redirect_uri')).toBe(callback)

    const landed = await atBroker(login.address)
    const strangers: [string, RequestInit, number][] = [
      [`${callback}?auth_code=x&state=forged`, {}, 400],
      [callback, {}, 400],
      [landed, { method: 'HEAD' }, 405],
      [landed.replace('/my/callback', '/'), {}, 404],
      [landed, { method: 'POST' }, 404],
    ]
    for (const [address, init, status] of strangers) expect((await fetch(address, init)).status).toBe(status)
    expect(await statusFor(landed, 'rebound.example')).toBe(421)

    const page = await fetch(landed)
    expect(page.status).toBe(200)
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(page.headers.get('referrer-policy')).toBe('no-referrer')
    const text = await page.text()
    expect(text).toContain('Logged in as ASHA SIMULATED (XS00001)')
    for (const value of oneTime) expect(text).not.toContain(value)
    expect(await login.end).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('fyers/LISTENER: logged in as ASHA SIMULATED (XS00001)'),
    })
    await expect(fetch(landed)).rejects.toThrow()
  })

  test('without a redirect URI of its own the account’s browser comes back to where serve would be', async () => {
    const port = await freePort()
    const config = line.file(
      'site.json',
      JSON.stringify({
        context: { tokenkeeper: { brokers: { fyers: {} }, site: { url: `http://127.0.0.1:${port}` } } },
      }),
    )
    await setUp('fyers/DEFAULT')
    const login = await waiting(['fyers/DEFAULT', '--config', config])
    expect(new URL(login.address).searchParams.get('redirect_uri')).toBe(
      `http://127.0.0.1:${port}/callback/fyers`,
    )
    await fetch(await atBroker(login.address))
    expect(await login.end).toMatchObject({ code: 0 })
  })

  test('FYERS’ own redirect page: the person pastes its address', async () => {
    await setUp('fyers', FYERS_OWN_REDIRECT)
    const login = await waiting(['fyers'])
    expect(login.said()).toContain(`you end at ${FYERS_OWN_REDIRECT}`)
    login.paste(await atBroker(login.address))
    expect(await login.end).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('logged in as ASHA SIMULATED (XS00001)'),
    })
  })

  test('a port that is taken is no end: the address is pasted instead', async () => {
    const port = await freePort()
    await setUp('fyers/TAKEN', `http://127.0.0.1:${port}/callback`)
    const first = await waiting(['fyers/TAKEN'])
    const second = await waiting(['fyers/TAKEN'])
    await second.saying('Nobody can wait for the browser here')
    second.paste(await atBroker(second.address))
    expect(await second.end).toMatchObject({ code: 0 })
    first.paste('nothing of use')
    expect(await first.end).toMatchObject({ code: 4 })
  })

  test('over SSH it says that the browser, on another machine, will find nothing, and takes a paste', async () => {
    const port = await freePort()
    await setUp('fyers/SSH', `http://127.0.0.1:${port}/callback`)
    const login = await waiting(['fyers/SSH'], { SSH_CONNECTION: '192.0.2.1 50000 192.0.2.2 22' })
    await login.saying('which need not show anything')
    expect(login.said()).not.toContain('Waiting up to')
    // On a line of its own, whole and without colours.
    expect(login.said()).toMatch(/\n\nhttp:\/\/127\.0\.0\.1:\d+\/\S+\n\n/)
    login.paste(await atBroker(login.address))
    expect(await login.end).toMatchObject({ code: 0 })
  })

  test('where nobody can paste and no browser can come back it ends at once, and says how else', async () => {
    await setUp('fyers', FYERS_OWN_REDIRECT)
    const done = await run(['login', 'fyers'])
    expect(done).toMatchObject({ code: 4, stderr: expect.stringContaining('--print-url') })
  })

  test('cancelled at the broker: nothing is changed, and a later login works', async () => {
    await setUp('fyers', FYERS_OWN_REDIRECT)
    const before = await generation('fyers')
    const address = await begin('fyers')
    await browser.open(address)
    const landed = await browser.whereTo(/./, { decision: 'refuse' })
    const done = await run(['login', 'fyers', '--code', '-'], noted(landed))
    expect(done).toMatchObject({ code: 4, stderr: expect.stringContaining('cancelled or refused') })
    expect(await generation('fyers')).toBe(before)
  })
})

async function statusFor(address: string, host: string): Promise<number | undefined> {
  const asked = request(address, { headers: { host } })
  asked.end()
  const [reply] = await once(asked, 'response')
  reply.resume()
  return reply.statusCode
}

describe('what is not this login changes nothing', () => {
  test('the wrong user logged in: exit code 4, and it says whose login came back', async () => {
    await setUp('fyers', FYERS_OWN_REDIRECT)
    await run(['login', 'fyers', '--code', '-'], await atBroker(await begin('fyers')))
    laterByTwoMinutes()
    const before = await generation('fyers')
    const done = await run(['login', 'fyers', '--code', '-'], await atBroker(await begin('fyers'), BINA))
    expect(done.code).toBe(4)
    expect(done.stderr).toContain('belongs to XS…02, but this account is pinned to XS…01')
    expect(await generation('fyers')).toBe(before)
  })

  test('an address of another account’s login is refused before its code is sent', async () => {
    await setUp('fyers/BINA', FYERS_OWN_REDIRECT)
    const landed = await atBroker(await begin('fyers/BINA'), BINA)
    const before = line.world.servers[0]?.server.count('/api/v3/validate-authcode')
    const done = await run(['login', 'fyers', '--code', landed])
    expect(done).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('belongs to a login of fyers/BINA'),
    })
    expect(line.world.servers[0]?.server.count('/api/v3/validate-authcode')).toBe(before)
    expect(await run(['login', 'fyers/BINA', '--code', landed])).toMatchObject({ code: 0 })
  })

  test('a state that nobody gave out is refused', async () => {
    const landed = new URL(await atBroker(await begin('fyers')))
    const state = landed.searchParams.get('state') ?? ''
    landed.searchParams.set('state', `${'A'.repeat(32)}${state.slice(32)}`)
    const done = await run(['login', 'fyers', '--code', landed.href])
    expect(done).toMatchObject({ code: 4, stderr: expect.stringContaining('not the end of a login') })
    expect(done.stderr).toContain(`Fix: begin again: ${CALL} login fyers`)
  })
})

describe('which accounts', () => {
  test('R3.7 an account nobody has set up is set up with what the environment holds', async () => {
    const landed = async (): Promise<string> => atBroker(await begin('fyers/ENV'))
    const first = await run(['login', 'fyers/ENV', '--print-url'], '', APP)
    expect(first.code).toBe(0)
    expect(first.stderr).toContain('client_secret: taken from FYERS_APP_SECRET in the environment')
    expect(await run(['login', 'fyers/ENV', '--code', '-'], await landed())).toMatchObject({ code: 0 })
    const missing = await run(['login', 'fyers/NOBODY'])
    expect(missing.code).toBe(2)
    expect(missing.stderr).toContain('set FYERS_CLIENT_ID and FYERS_APP_SECRET')
  })

  test('without a name all that need somebody are taken, one after the other; then none is left', async () => {
    const home = { TOKENKEEPER_HOME: `${line.folder}/all` }
    for (const account of ['fyers/ONE', 'fyers/TWO']) {
      await run(['setup', account, '--no-refresh'], '', {
        ...APP,
        ...home,
        FYERS_REDIRECT_URI: FYERS_OWN_REDIRECT,
      })
    }
    await run(['refresh'], '', home)
    const login = await waiting([], home)
    await login.saying('1 of 2: fyers/ONE')
    login.paste(await atBroker(login.address))
    await login.saying(/fyers\/ONE: logged in[\s\S]*2 of 2: fyers\/TWO[\s\S]*\n\nhttp\S+\n/)
    const [, second = ''] = [...login.said().matchAll(/^http\S+$/gm)].map(([address]) => address)
    login.paste(await atBroker(noted(second), BINA))
    expect(await login.end).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('fyers/TWO: logged in'),
    })
    expect(await run(['login'], '', home)).toMatchObject({ code: 0, stdout: 'No account needs a login.\n' })
  })

  test('setup names the redirect URL to register, and login as the next step where nothing renews unattended', async () => {
    const first = await run(['setup', 'fyers/NEXT'], '', APP)
    expect(first.stdout).toContain(
      'Redirect URL to register with the app at FYERS: http://127.0.0.1:8787/callback/fyers\n',
    )
    expect(first.stdout).toContain(`Next: ${CALL} login fyers/NEXT\n`)
    const unattended = {
      ...APP,
      FYERS_PIN: '2580',
      FYERS_REFRESH_TOKEN: line.world.fyers.refreshTokenFor(ASHA),
    }
    const second = await run(['setup', 'fyers/NEXT'], '', {
      ...unattended,
      FYERS_REDIRECT_URI: FYERS_OWN_REDIRECT,
    })
    expect(second.stdout).not.toContain('Redirect URL')
    expect(second.stdout).toContain(`Next: ${CALL} refresh fyers/NEXT\n`)
  })

  test.each([
    ['iifl-xts', 'needs no login: its tokens are renewed unattended'],
    ['upstox/UPSTREAM', 'its tokens come from a token service, where its login is approved'],
  ])('%s cannot be logged in, and it says why', async (account, says) => {
    const env = { IIFL_XTS_APP_KEY: 'SIMULATED-xts-app-key', IIFL_XTS_SECRET_KEY: 'SIMULATED-xts-secret' }
    await run(['setup', account, '--no-refresh'], '', env)
    expect(await run(['login', account])).toMatchObject({ code: 5, stderr: expect.stringContaining(says) })
  })

  test.each([
    ['a step without an account', ['login', '--print-url']],
    ['two steps at once', ['login', 'fyers', '--print-url', '--code', 'x']],
    ['an approval where there is none', ['login', 'fyers', '--approve']],
    ['a notifier URL where there is none', ['login', 'fyers', '--webhook-url']],
  ])('%s is wrong usage', async (_, args) => {
    expect(await run(args)).toMatchObject({ code: 2, stdout: '' })
  })
})

describe('for programs', () => {
  test('--json gives the address as an object, then how it ended', async () => {
    await setUp('fyers', FYERS_OWN_REDIRECT)
    const first = JSON.parse((await run(['login', 'fyers', '--print-url', '--json'])).stdout)
    expect(first).toMatchObject({ account: 'fyers', redirectUri: FYERS_OWN_REDIRECT, expiresInSeconds: 600 })
    const landed = await atBroker(noted(first.url))
    const done = await run(['login', 'fyers', '--code', '-', '--json'], landed)
    expect(done).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(done.stdout)).toMatchObject({
      success: true,
      logins: [{ account: 'fyers', userID: ASHA, tokenValidity: '2026-11-24T06:00:00+05:30' }],
    })
    const failed = await run(['login', 'fyers', '--code', '-', '--json'], 'no code')
    expect(failed.code).toBe(4)
    expect(JSON.parse(failed.stdout)).toMatchObject({ success: false, logins: [{ code: 'useless' }] })
  })

  test('--webhook-url prints the notifier URL to register, which nobody can guess', async () => {
    const done = await run(['login', 'upstox/ASHA', '--webhook-url'])
    expect(done.code).toBe(0)
    expect(done.stdout).toMatch(/^http:\/\/127\.0\.0\.1:8787\/webhook\/upstox\/[\w-]+\.[\w-]{43}\n$/)
    expect(done.stderr).toContain('cannot reach this machine')
    const again = await run(['login', 'upstox/ASHA', '--webhook-url', '--json'])
    expect(JSON.parse(again.stdout).url).toBe(done.stdout.trim())
  })

  test('--approve says that nobody would receive the answer while no serve runs', async () => {
    const done = await run(['login', 'upstox/ASHA', '--approve'])
    expect(done).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('nobody would receive the answer'),
    })
  })
})

test('I6 no code, state, secret or token is said anywhere but in the address to log in at', () => {
  const everything = outputs
    .map(({ stdout, stderr }) => `${stdout}\n${stderr}`)
    .join('\n')
    .replaceAll(/^\s*("url": ")?http:\/\/127\.0\.0\.1:\d+\/\S+$/gm, '')
  expect(oneTime.length).toBeGreaterThan(20)
  for (const value of oneTime) expect(everything).not.toContain(value)
  for (const secret of ['SIMULATED-fyers-app-secret', 'SIMULATED-upstox-secret', 'eyJ']) {
    expect(everything).not.toContain(secret)
  }
})
