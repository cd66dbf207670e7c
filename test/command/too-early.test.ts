import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CALL, CommandLine, type Ended } from './command.ts'
import { setUp } from './set-up.ts'

/** Friday evening in India; the clock of the command line is that of the Monday before. */
const FRIDAY_EVENING = { TOKENKEEPER_NOW: '2026-11-27T20:00:00+05:30' }
const MONDAY = { TOKENKEEPER_NOW: '2026-11-30T06:00:00+05:30' }
const FROM = 'from Mon 30 Nov 06:00 IST on'

let line: CommandLine

beforeAll(async () => {
  line = await CommandLine.start()
  await setUp(line, 'zerodha')
})
afterAll(() => line.close())

const run = (args: readonly string[], env: NodeJS.ProcessEnv = FRIDAY_EVENING): Promise<Ended> =>
  line.run(args, { env })

describe('on a Friday evening', () => {
  test('a refresh asks nobody, says from when a login helps, and ends as one that needs a person', async () => {
    const { code, stdout, stderr } = await run(['refresh', 'zerodha'])
    expect(code).toBe(4)
    expect(stdout).toMatch(/^zerodha +skipped +- +no access token is stored/m)
    expect(stdout.replace(/\s+/g, ' ')).toContain('a login helps from Mon 30 Nov 06:00 IST')
    expect(stderr).not.toContain('Log in:')
  })

  test('login without an account takes none, and says which are too early', async () => {
    expect(await run(['login'])).toMatchObject({
      code: 0,
      stdout: `No login helps yet: zerodha ${FROM}.\n`,
    })
    expect(JSON.parse((await run(['login', '--json'])).stdout)).toEqual({
      success: true,
      logins: [],
      later: [{ account: 'zerodha', from: 'Mon 30 Nov 06:00 IST' }],
    })
  })

  test('status and check say the same', async () => {
    const { stdout } = await run(['status', '--json'])
    expect(JSON.parse(stdout).accounts).toMatchObject([
      {
        state: 'missing',
        loginHelpsFrom: '2026-11-30T06:00:00+05:30',
        nextAction: expect.stringContaining(FROM),
      },
    ])
    const checked = await run(['check', 'zerodha'])
    expect(checked.code).toBe(4)
    expect(checked.stdout).toContain(`log in at Zerodha ${FROM}: ${CALL} login zerodha`)
  })

  test('setup names the login as the next step, and from when', async () => {
    const APP = { KITE_API_KEY: 'simkitekey', KITE_API_SECRET: 'SIMULATED-kite-secret' }
    const { stdout } = await run(['setup', 'zerodha/NEXT'], { ...FRIDAY_EVENING, ...APP })
    expect(stdout).toContain(`Next: ${CALL} login zerodha/NEXT, ${FROM}\n`)
    await run(['remove', 'zerodha/NEXT', '--yes'])
  })
})

test('on Monday morning each of them asks', async () => {
  expect(await run(['refresh', 'zerodha'], MONDAY)).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('Log in: Zerodha zerodha before Mon 30 Nov 09:15 IST'),
  })
  expect((await run(['check', 'zerodha'], MONDAY)).stdout).toContain(`run ${CALL} login zerodha`)
})

test('put says whether a token sees the session', async () => {
  await setUp(line, 'fyers')
  const token = line.world.fyers.accessTokenFor('XS00001')
  const done = await line.run(['put', 'fyers', 'access_token'], { stdin: token })
  expect(done.stdout).toMatch(
    /valid until Tue 24 Nov 06:00 IST\. Covers today's session: yes, until 15:40\.\n$/,
  )
})

describe('doctor', () => {
  test('says whether a run of each broker comes near the open', async () => {
    const near = await run(['doctor', 'zerodha', '--verbose'])
    expect(near.stdout).toMatch(/^pass {2}schedule of zerodha: a run in the 45 minutes before each open$/m)
    const config = line.file(
      'cdk.json',
      JSON.stringify({
        context: { tokenkeeper: { brokers: { zerodha: { schedules: ['cron(0 7 ? * MON-FRI *)'] } } } },
      }),
    )
    const far = await run(['doctor', 'zerodha', '--config', config])
    expect(far.stdout).toMatch(
      /^warn {2}schedule of zerodha: no run for sure in the 45 minutes before Mon 30 Nov 09:15 IST.*\n +fix: .*brokers\.zerodha\.schedules/m,
    )
  })
})
