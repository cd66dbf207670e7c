import { afterAll, beforeAll, expect, test } from 'vitest'
import { ASHA_AT_UPSTOX, ESHA_AT_ZERODHA } from '../../lib/simulators/demo/demo-accounts.ts'
import { CommandLine, type Ended } from './command.ts'

/** An ordinary account has no token service in front of it. */
const WITHOUT_SERVICE = { TOKEN_REFRESH_SERVICE_URL: '' }

let line: CommandLine

beforeAll(async () => {
  line = await CommandLine.start()
})
afterAll(() => line.close())

const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}, stdin = ''): Promise<Ended> =>
  line.run(args, { env: { ...WITHOUT_SERVICE, ...env }, stdin })

test('before anything is set up the one thing to look at is that, with the command that does it', async () => {
  const done = await run(['doctor'])
  expect(done.code).toBe(0)
  expect(done.stdout).toMatch(
    /^warn {2}accounts: none is set up\n +fix: run \S.* setup fyers\n\d+ passed, 1 to look at, 0 failed\n$/,
  )
})

test.each([
  [
    'zerodha',
    ['KITE_API_KEY', 'KITE_API_SECRET'],
    () => line.world.zerodha.accessTokenFor(ESHA_AT_ZERODHA.userId),
  ],
  [
    'upstox',
    ['UPSTOX_API_KEY', 'UPSTOX_API_SECRET'],
    () => line.world.upstox.accessTokenFor(ASHA_AT_UPSTOX.userId),
  ],
])('all is green for an ordinary account of %s, before its login and after', async (id, names, token) => {
  const { secrets = {} } = line.world.accounts.find((one) => one.id.startsWith(id)) ?? {}
  const [key = '', secret = ''] = names
  const env = { [key]: secrets.client_id, [secret]: secrets.client_secret }
  expect(await run(['setup', id, '--no-refresh'], env)).toMatchObject({ code: 0 })
  const before = await run(['doctor', id])
  expect(before).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+ passed, 0 to look at, 0 failed\n$/),
  })
  const stored = await run(['put', id, 'access_token'], {}, token())
  expect(stored).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/valid until Tue 24 Nov 0[36]:[03]0 IST\. Covers today's session: yes/m),
  })
  const after = await run(['doctor', id])
  expect(after).toMatchObject({ code: 0, stdout: before.stdout })
})

test('what is right is told when it is asked for, and always as JSON', async () => {
  const whole = await run(['doctor', 'zerodha', '--verbose'])
  expect(whole.stdout).toMatch(/^pass {2}zerodha: credentials are there; a person logs in for each token$/m)
  const { findings, success } = JSON.parse((await run(['doctor', 'zerodha', '--json'])).stdout)
  expect(success).toBe(true)
  expect(findings).toHaveLength(whole.stdout.trimEnd().split('\n').length - 1)
})

test('what is wrong is told alone, with what mends it', async () => {
  await run(['setup', 'zerodha/BARE', '--no-refresh'], {
    KITE_API_KEY: 'SIMULATED',
    KITE_API_SECRET: 'SIMULATED',
  })
  await run(['refresh', 'zerodha/BARE'])
  const done = await run(['doctor'])
  expect(done.code).toBe(0)
  const [warning, fix, totals, ...rest] = done.stdout.split('\n')
  expect(warning).toMatch(/^warn {2}zerodha\/BARE: last run: /)
  expect(fix).toMatch(/^ +fix: .*tokenkeeper\.mjs login zerodha\/BARE$/)
  expect(totals).toMatch(/^\d+ passed, 1 to look at, 0 failed$/)
  expect(rest).toEqual([''])
})
