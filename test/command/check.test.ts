import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ASHA_AT_FYERS } from '../../lib/simulators/demo/demo-accounts.ts'
import { HTML_502 } from '../../lib/simulators/kit/simulator.ts'
import { CALL, CommandLine, type Ended } from './command.ts'
import { serving } from './serving.ts'
import { setUp } from './set-up.ts'

let line: CommandLine

beforeAll(async () => {
  line = await CommandLine.start()
  expect(await line.run(['check'])).toMatchObject({ code: 5, stdout: '' })
  await setUp(line, 'fyers')
  await setUp(line, 'zerodha')
  await line.run(['setup', 'iifl/SIM10002', '--managed-by', 'external'])
})
afterAll(() => line.close())

const check = (...args: string[]): Promise<Ended> => line.run(['check', ...args])
const row = (line: string): RegExp => new RegExp(`^${line}$`, 'm')
const verdicts = async (...args: string[]) => JSON.parse((await check('--json', ...args)).stdout).accounts

describe('tokenkeeper check', () => {
  test('R1.4 without a token it fails before any job does, says who must act, and renews nothing', async () => {
    const done = await check('fyers')
    expect(done).toMatchObject({ code: 3, stderr: '' })
    expect(done.stdout).toMatch(row(`fyers +- +no token yet +run ${CALL} refresh fyers`))
    expect(line.world.fyers.refreshes).toBe(0)
  })

  test('R1.2 status, check --live, refresh --force and refresh do what the script of the guide did', async () => {
    expect(await line.run(['refresh', 'fyers'])).toMatchObject({ code: 0 })
    expect((await line.run(['status', 'fyers'])).stdout).toMatch(/^fyers +live +Tue 24 Nov 06:00 IST/m)
    expect((await check('fyers', '--live')).stdout).toMatch(/^fyers +Tue 24 Nov 06:00 IST +proven live +-$/m)
    line.clock.advance(2)
    expect((await line.run(['refresh', 'fyers'])).stdout).toMatch(/^fyers +fresh/m)
    const forced = await line.run(['refresh', 'fyers', '--force', '--json'])
    expect(JSON.parse(forced.stdout)).toMatchObject({ refreshed: 1 })
    expect(line.world.fyers.refreshes).toBe(2)
  })

  test('R1.4 a token that lasts until the close, and two hours, is good; one that does not is told what would be', async () => {
    const good = await check('fyers', '--min-valid-for', '2h', '--until', 'close')
    expect(good).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('lasts past Mon 23 Nov 15:40 IST'),
    })
    const short = await check('fyers', '--min-valid-for', '2d')
    expect(short.code).toBe(3)
    expect(short.stdout).toContain('too short: it must last until Wed 25 Nov 07:')
    expect(short.stdout).toContain('ask for less: a new token would die Tue 24 Nov 06:00 IST')
  })

  test('a person who must log in outweighs what the keeper can mend, and each account has its line', async () => {
    const done = await check()
    expect(done.code).toBe(4)
    expect(done.stdout).toMatch(/^fyers +Tue 24 Nov 06:00 IST +live +-$/m)
    expect(done.stdout).toMatch(row(`zerodha +- +no token yet +run ${CALL} login zerodha`))
    expect(done.stdout).toMatch(/^iifl\/SIM10002 +- +no token yet +ask whoever manages the account/m)
    expect(await check('fyers', 'iifl/SIM10002')).toMatchObject({ code: 3 })
    expect(await check('--user', 'SIM10002')).toMatchObject({ code: 3 })
  })

  test('--json has a verdict for programs', async () => {
    expect(await verdicts('fyers', 'zerodha')).toEqual([
      {
        account: 'fyers',
        validUntil: '2026-11-24T06:00:00+05:30',
        good: true,
        exitCode: 0,
        code: 'ok',
        verdict: 'live',
        fix: null,
      },
      {
        account: 'zerodha',
        validUntil: null,
        good: false,
        exitCode: 4,
        code: 'awaiting_login',
        verdict: 'no token yet',
        fix: `run ${CALL} login zerodha`,
      },
    ])
  })

  test.each([
    ['an account nobody has set up', ['fyers/NOBODY'], 2],
    ['a broker there is not', ['nosuch'], 2],
    ['a malformed account', ['fyers/a/b'], 2],
    ['what is no time span', ['fyers', '--min-valid-for', 'soon'], 2],
    ['what is no end', ['fyers', '--until', 'tomorrow'], 2],
  ])('%s ends with the code of that mistake', async (_, args, code) => {
    expect(await check(...args)).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/error/i) })
  })

  test('an account that trades on no market has no close, and that is told of it alone', async () => {
    await line.run(['setup', 'pos-connector', '--managed-by', 'external'])
    const done = await check('fyers', 'pos-connector', '--until', 'close')
    await line.run(['remove', 'pos-connector', '--yes'])
    expect(done.code).toBe(5)
    expect(done.stdout).toMatch(/^fyers .* live, lasts past/m)
    expect(done.stdout).toMatch(/^pos-connector .*trades on no market/m)
  })

  test('a paused account is not good, whatever its token', async () => {
    await line.run(['pause', 'fyers'])
    const done = await check('fyers')
    await line.run(['resume', 'fyers'])
    expect(done.code).toBe(3)
    expect(done.stdout).toMatch(row(`.*paused since Mon 23 Nov 07:.* run ${CALL} resume fyers`))
  })

  test('R1.2 --live finds out that the broker ended the session, which is on record from then on', async () => {
    line.clock.advance(2)
    line.world.fyers.killAccessToken(ASHA_AT_FYERS.fyId)
    expect(await check('fyers')).toMatchObject({ code: 0 })
    const live = await check('fyers', '--live')
    expect(live.code).toBe(3)
    expect(live.stdout).toMatch(row(`.*refuse[sd] it +run ${CALL} refresh fyers`))
    expect(await check('fyers')).toMatchObject({ code: 3 })
    expect(line.world.fyers.refreshes).toBe(2)
    expect(await line.run(['refresh', 'fyers'])).toMatchObject({ code: 0 })
    expect(await check('fyers', '--live')).toMatchObject({ code: 0 })
  })
})

describe('I9 a token that something may have ended', () => {
  test('is not live until the broker was asked, and every command says so', async () => {
    line.clock.advance(2)
    await line.run(['refresh', 'fyers', '--force'])
    line.clock.advance(2)
    const fyers = line.world.servers.find(({ name }) => name === 'fyers')
    if (!fyers) throw new Error('FYERS is simulated')
    // The reply to a second login is lost, and the broker answers nothing else either.
    fyers.server.failNext('/api/v3/validate-authcode', { kind: 'lost_reply' })
    for (let i = 0; i < 2; i++) fyers.server.failNext('/api/v3/profile', HTML_502)
    const login = await line.run(['login', 'fyers', '--code', '-'], { stdin: 'SIMULATED-authorization-code' })
    expect(login.code).not.toBe(0)
    expect(login.stderr).toContain('Whether the old token still works is unproven since Mon 23 Nov 07:')
    const done = await check('fyers')
    expect(done.code).toBe(3)
    expect(done.stdout).toMatch(
      row(String.raw`.*unproven since Mon 23 Nov 07:\d\d IST +run ${CALL} refresh fyers`),
    )
    expect((await line.run(['status', 'fyers'])).stdout).toContain('unproven since Mon 23 Nov 07:')
    expect(await line.run(['token', 'fyers'])).toMatchObject({ code: 3, stdout: '' })
    line.clock.advance(2)
    expect(await check('fyers', '--live')).toMatchObject({ code: 0 })
    expect(await check('fyers')).toMatchObject({ code: 0 })
  })
})

describe('over REST', () => {
  test('R1.4 a machine that has nothing but a key gets the same answers', async () => {
    const served = await serving(line)
    try {
      const key = await served.key('--scope', 'status,validate,token', '--all-accounts')
      const env = { TOKENKEEPER_URL: served.url, TOKENKEEPER_API_KEY: key, TOKENKEEPER_HOME: '/nonexistent' }
      const asked = await line.run(['check', 'fyers', '--until', 'close', '--live'], { env })
      expect(asked).toMatchObject({ code: 0, stdout: expect.stringContaining('proven live, lasts past') })
      const all = await line.run(['check', '--json'], { env })
      expect(all.code).toBe(4)
      expect(JSON.parse(all.stdout).accounts).toMatchObject([
        { account: 'fyers', good: true },
        { account: 'iifl/SIM10002', code: 'managed_elsewhere' },
        { account: 'zerodha', code: 'awaiting_login' },
      ])
      const stranger = await line.run(['check', 'fyers/NOBODY'], { env })
      expect(stranger).toMatchObject({ code: 5, stdout: expect.stringContaining('fyers/NOBODY') })

      const reader = {
        ...env,
        TOKENKEEPER_API_KEY: await served.key('--scope', 'token', '--account', 'fyers'),
      }
      expect(await line.run(['check', 'fyers'], { env: reader })).toMatchObject({ code: 0 })
      const wrong = { ...env, TOKENKEEPER_API_KEY: 'tk_aaaaaaaaaa_canary' }
      const refused = await line.run(['check', 'fyers'], { env: wrong })
      expect(refused).toMatchObject({ code: 5 })
      expect(refused.stdout + refused.stderr).not.toContain('canary')
    } finally {
      await served.stop()
    }
  })

  test('without a key, or with a backend besides, it is not even tried', async () => {
    const env = { TOKENKEEPER_URL: 'http://127.0.0.1:9', TOKENKEEPER_API_KEY: '' }
    const keyless = await line.run(['check', 'fyers'], { env })
    expect(keyless).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('TOKENKEEPER_API_KEY is not set'),
    })
    const both = await line.run(['check', 'fyers', '--url', 'http://127.0.0.1:9', '--backend', 'local'])
    expect(both).toMatchObject({ code: 2 })
    const plain = await line.run(['check', 'fyers', '--url', 'http://keeper.example'], { env })
    expect(plain).toMatchObject({ code: 5, stderr: expect.stringContaining('must be https') })
    const away = await line.run(['check', 'fyers'], {
      env: { ...env, TOKENKEEPER_API_KEY: 'tk_aaaaaaaaaa_x' },
    })
    expect(away).toMatchObject({ code: 3, stdout: expect.stringContaining('did not answer') })
  })
})
