import { afterAll, beforeAll, expect, test } from 'vitest'
import { CommandLine } from './command.ts'

let line: CommandLine

beforeAll(async () => {
  line = await CommandLine.start()
})
afterAll(() => line.close())

const markets = (...words: string[]) => line.run(['markets', ...words])

async function listed(...words: string[]): Promise<readonly Record<string, string>[]> {
  return JSON.parse((await markets('list', '--json', ...words)).stdout).days
}

test('lists the days of a year for the markets of the brokers there are, and where they are from', async () => {
  const { code, stdout } = await markets('list')
  expect(code).toBe(0)
  expect(stdout).toMatch(/Tue 2026-11-10 +in-equity in-fno +closed +Diwali Balipratipada/)
  expect(stdout).toMatch(/Sun 2026-11-08 .* the hours are not known/)
  expect(stdout).toMatch(
    /^in-equity, in-fno: .*looked up 2026-11-27; after 2026-12-31 each weekday .* counts as open\.$/m,
  )
  const next = await markets('list', '--year', '2027', '--market', 'in-equity,us-equity')
  expect(next.stdout).toMatch(
    /Wed 2027-03-10 +in-equity +closed +Id-ul-Fitr +not announced yet: counts as open/,
  )
  expect(next.stdout).toMatch(/Fri 2027-11-26 +us-equity +09:30–13:00/)
  expect(next.stdout).toMatch(/^in-equity: provisional: /m)
})

test('a day is closed and opened again, and a Saturday gets a session', async () => {
  const closed = await markets('close', 'in-equity,in-fno', '2027-01-15', '--why', 'elections')
  expect(closed.stdout).toBe('in-equity on 2027-01-15: closed\nin-fno on 2027-01-15: closed\n')
  expect(closed.stderr).toContain('within 15 minutes')
  expect(await listed('--year', '2027', '--market', 'in-fno')).toContainEqual(
    expect.objectContaining({ date: '2027-01-15', hours: 'closed', why: 'elections', note: 'said here' }),
  )
  const opened = await markets('open', 'in-equity', '2027-01-15')
  expect(opened.stdout).toBe('in-equity on 2027-01-15: 09:15–15:30\n')
  const days = (await listed('--year', '2027')).filter(({ date }) => date === '2027-01-15')
  expect(days.map(({ market }) => market)).toEqual(['in-fno'])
  const saturday = await markets('open', 'in-equity', '2026-12-05', '--from', '10:00', '--to', '11:00')
  expect(saturday.stdout).toBe('in-equity on 2026-12-05: 10:00–11:00\n')
  expect(saturday.stderr).toContain('runs from Monday to Friday')
})

test('a holiday is opened at the usual hours', async () => {
  expect((await markets('open', 'in-fno', '2026-12-25')).stdout).toBe('in-fno on 2026-12-25: 09:15–15:40\n')
  expect((await markets('close', 'in-fno', '2026-12-25')).stdout).toBe('in-fno on 2026-12-25: closed\n')
})

test.each([
  [['close', 'nse', '2027-01-15'], '"nse" is no market', 'use in-equity, in-fno,'],
  [['close', 'in-equity', '2027-02-30'], '"2027-02-30" is no day', 'write it as 2027-01-15'],
  [['open', 'in-equity', '2027-01-15', '--from', '10'], 'a beginning and an end', '--from 18:00 --to 19:00'],
  [['list', '--year', 'next'], '"next" is no year', 'write it as 2027'],
])('%j is wrong usage, and says what is right', async (words, says, fix) => {
  const { code, stderr } = await markets(...words)
  expect(code).toBe(2)
  expect(stderr).toContain(says)
  expect(stderr).toContain(fix)
})

test('setup stores the markets of an account, and refuses those of a broker without any', async () => {
  const env = { FYERS_CLIENT_ID: 'SIMULATED01-100', FYERS_APP_SECRET: 'SIMULATED-secret' }
  const stored = await line.run(['setup', 'fyers', '--no-refresh', '--markets', 'in-mcx'], { stdin: '', env })
  expect(stored.code).toBe(0)
  const refused = await line.run(['setup', 'pos-connector', '--markets', 'in-mcx'], { stdin: '' })
  expect(refused.code).toBe(2)
  expect(refused.stderr).toContain('trades on no market')
})
