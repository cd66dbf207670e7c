import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { holdNext } from '../support/held-request.ts'
import { CALL, CommandLine, type Ended, ended, saying } from './command.ts'
import { type Heard, heard } from './heard.ts'
import { setUp } from './set-up.ts'

let line: CommandLine

beforeEach(async () => {
  line = await CommandLine.start()
})
afterEach(() => line.close())

interface Served extends Heard {
  readonly url: string
  stop(): Promise<Ended & { readonly seconds: number }>
}

async function serve(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Served> {
  const child = line.spawn(['serve', '--port', '0', ...args], env)
  const end = ended(child)
  const { said, saying } = heard(child, [child.stdout])
  await saying('/health')
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said())?.[0] ?? ''
  return {
    url,
    said,
    saying,
    async stop() {
      const startedAt = performance.now()
      child.kill('SIGINT')
      // npm and the launcher pass on what the terminal has already delivered.
      child.kill('SIGINT')
      return { ...(await end), seconds: (performance.now() - startedAt) / 1000 }
    },
  }
}

const get = async (url: string): Promise<unknown> => (await fetch(url)).json()

test('R2.1 R2.2 without accounts serve shows the simulated world, answers, and ends at Ctrl-C with 0', async () => {
  const served = await serve(['--speed', '100'])
  expect(served.said()).toContain('SIMULATED')
  await served.saying('fyers/BINA     login needed')
  expect(await get(`${served.url}/health`)).toMatchObject({
    status: 'ok',
    accounts: { total: 9 },
    time: expect.stringMatching(/\+05:30$/),
  })
  expect(await get(`${served.url}/token/status`)).toMatchObject({
    account_id: 'ASHA',
    account: 'upstox/ASHA',
    accounts: expect.arrayContaining([
      expect.objectContaining({ account: 'fyers/BINA' }),
      expect.objectContaining({ account: 'upstox/DEMO1', source: 'upstream' }),
    ]),
  })
  await served.saying('Solved: FYERS Bina')
  const { code, seconds, stdout, stderr } = await served.stop()
  expect(code).toBe(0)
  expect(seconds).toBeLessThan(20)
  expect(stdout).toMatch(/iifl-xts +expired/)
  expect(stdout).toMatch(/iifl\/SIM10001 +refreshed/)
  expect(stdout).toMatch(/iifl\/SIM10002 +skipped/)
  expect(stdout).toMatch(/fyers\/BINA +login needed[\s\S]*logs in at FYERS[\s\S]*fyers\/BINA +logged in/)
  expect(stdout + stderr).not.toContain('\u001b[')
  expect(stdout + stderr).not.toMatch(/eyJ[\w-]+\.|Simulated-Passw0rd/)
})

test('with --no-demo it ends where no account is set up, and simulates nothing', async () => {
  const done = await line.run(['serve', '--port', '0', '--no-demo'])
  expect(done).toEqual({
    code: 5,
    stdout: '',
    stderr: `Error: no account is set up in ${line.home}\nFix: set one up (${CALL} setup fyers), or mount the folder they are in\n`,
  })
})

test('a service manager’s SIGTERM ends it with 0, and its folder can be served again', async () => {
  await setUp(line, 'zerodha')
  for (const _ of ['first', 'second']) {
    const child = line.spawn(['serve', '--port', '0', '--no-demo'])
    const end = ended(child)
    await saying(child.stdout, '/health')
    child.kill('SIGTERM')
    expect(await end).toMatchObject({ code: 0, stdout: expect.stringContaining('Stopped.'), stderr: '' })
  }
})

test('in the rehearsal every advice leads to its page: no command reaches what is simulated', async () => {
  const served = await serve(['--speed', '100'])
  await served.saying('Somebody is needed')
  const stand = JSON.stringify(await get(`${served.url}/token/status`))
  const { stdout, stderr } = await served.stop()
  const [real = '', ...others] = `${stdout}${stderr}`.match(/.*tokenkeeper(?:\.mjs)? [a-z].*/gi) ?? []
  expect(real).toContain(`${CALL} setup fyers`)
  expect(others).toEqual([])
  expect(stand).not.toMatch(/tokenkeeper(\.mjs)? \w/)
  expect(stand).toContain(`log in at Upstox: open ${served.url}/login`)
  expect(`${stdout}${stderr}`).toContain(`: open ${served.url}/login`)
})

test('R2.6 with an account serve keeps that one, in its own store, and leaves nothing simulated behind', async () => {
  const { client_id, client_secret, pin, refresh_token } = line.world.accounts[0]?.secrets ?? {}
  const env = {
    FYERS_CLIENT_ID: client_id,
    FYERS_APP_SECRET: client_secret,
    FYERS_PIN: pin,
    FYERS_REFRESH_TOKEN: refresh_token,
  }
  await line.run(['setup', 'fyers'], { env })
  const served = await serve()
  await served.saying('fyers          refreshed')
  expect(served.said()).not.toContain('SIMULATED')
  expect(await get(`${served.url}/token/status`)).toMatchObject({
    account_id: 'fyers',
    live: true,
    expires_at: '2026-11-24T06:00:00+05:30',
    source: 'refresh_token',
    last_error: null,
  })
  expect(await served.stop()).toMatchObject({ code: 0 })
  const { accounts } = JSON.parse((await line.run(['status', '--json'])).stdout)
  expect(accounts).toMatchObject([{ account: 'fyers', generation: 1 }])
})

test('R2.6 serve starts although the token service is down, and has the token once it is back', async () => {
  const env = { UPSTOX_ACCOUNT_IDS: 'DEMO1' }
  const down = { ...env, TOKEN_REFRESH_SERVICE_URL: `http://127.0.0.1:${await freePort()}` }
  const without = await serve([], down)
  expect(await get(`${without.url}/health`)).toMatchObject({ status: 'ok', tokens: 'unavailable' })
  expect(await get(`${without.url}/accounts/DEMO1/token/status`)).toMatchObject({
    account: 'upstox/DEMO1',
    state: 'missing',
    live: false,
    expires_at: null,
  })
  expect(await without.stop()).toMatchObject({ code: 0 })

  // The run that was broken off no longer holds the account then.
  line.clock.advance(6)
  const served = await serve([], env)
  await served.saying('upstox/DEMO1   refreshed')
  expect(await get(`${served.url}/accounts/DEMO1/token/status`)).toMatchObject({
    live: true,
    source: 'upstream',
  })
  await served.stop()
})

test('a page in a browser cannot reach the service under a name of its own', async () => {
  const served = await serve()
  const asked = request(`${served.url}/health`, { headers: { host: 'rebound.example' } })
  asked.end()
  const [reply] = (await once(asked, 'response')) as [IncomingMessage]
  expect(reply.statusCode).toBe(421)
  reply.resume()
  await served.stop()
})

test('Ctrl-C during a refresh lets the account in progress finish, and starts no further one', async () => {
  for (const { id, secrets } of line.world.accounts.slice(0, 2)) {
    const { client_id, client_secret, pin, refresh_token } = secrets
    const env = {
      FYERS_CLIENT_ID: client_id,
      FYERS_APP_SECRET: client_secret,
      FYERS_PIN: pin,
      FYERS_REFRESH_TOKEN: refresh_token,
    }
    await line.run(['setup', id], { env })
  }
  const fyers = line.world.servers.find(({ name }) => name === 'fyers')?.server
  if (!fyers) throw new Error('FYERS is not simulated')
  const grant = holdNext(fyers, '/api/v3/validate-refresh-token')
  const child = line.spawn(['refresh'])
  const end = ended(child)
  await grant.arrived
  child.kill('SIGINT')
  await saying(child.stderr, 'Stopping')
  grant.release()
  expect(await end).toMatchObject({ code: 130, stdout: expect.stringContaining('fyers: refreshed') })
  const { accounts } = JSON.parse((await line.run(['status', '--json'])).stdout)
  expect(accounts).toMatchObject([
    { account: 'fyers', live: true },
    { account: 'fyers/BINA', state: 'missing', lastRunAt: null },
  ])
})

test('a port that is taken is told in words, with another one to try', async () => {
  const served = await serve()
  const port = Number(new URL(served.url).port)
  const second = await line.run(['serve', '--port', String(port)])
  expect(second).toMatchObject({ code: 5, stderr: expect.stringContaining(`--port ${port + 1}`) })
  await served.stop()
})

test('a second one on the same home says which process serves it, and ends with 5', async () => {
  await setUp(line, 'fyers')
  const served = await serve()
  const second = await line.run(['serve', '--port', '0'])
  expect(second).toMatchObject({ code: 5, stdout: '' })
  expect(second.stderr).toMatch(/runs already for the accounts in .*: process \d+, at http:\/\/127/)
  expect(second.stderr).toContain(served.url)
  await served.stop()
  const next = await serve()
  await next.stop()
})
