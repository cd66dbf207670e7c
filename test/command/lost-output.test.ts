import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AccountStatus } from '../../lib/accounts/account-status.ts'
import { BROKERS } from '../../lib/brokers/index.ts'
import { COMMAND, CommandLine, type Ended, ended } from './command.ts'

const ACCOUNTS = ['fyers', 'fyers/BINA', 'iifl-xts', 'pos-connector', 'upstox/DEMO1', 'zerodha']

let line: CommandLine

beforeAll(async () => {
  line = await CommandLine.start()
  for (const account of ACCOUNTS) await setUp(account)
  await line.run(['refresh'])
})
afterAll(() => line.close())
// Later than the least pause between two logins of an account.
beforeEach(() => line.clock.advance(61))

/** With whatever the simulated world knows of it. */
async function setUp(id: string, at = line): Promise<void> {
  const { secrets = {} } = at.world.accounts.find((one) => one.id === id) ?? {}
  const { credentials } = BROKERS[id.split('/')[0] as keyof typeof BROKERS]
  const env = Object.fromEntries(
    Object.entries(secrets).map(([name, value]) => [
      credentials.find((one) => one.name === name)?.env?.[0] ?? `no variable for ${name}`,
      value,
    ]),
  )
  const done = await at.run(['setup', id, '--no-refresh'], { env })
  if (done.code !== 0) throw new Error(`${id} was not set up: ${done.stderr}`)
}

/** The command in a line of a shell, in which `%` stands for it; the exit code is the command's own. */
async function shell(text: string, at = line): Promise<Ended> {
  const command = COMMAND.map((word) => `'${word}'`).join(' ')
  const script = `${text.replace('%', command)}; exit "\${PIPESTATUS[0]}"`
  const child = spawn('bash', ['-c', script], { env: at.env, cwd: at.folder })
  child.stdin.end()
  return ended(child)
}

/** How often each account was renewed so far that needs nobody and has no login budget. */
async function renewals(): Promise<readonly number[]> {
  const { accounts } = JSON.parse((await line.run(['status', '--json'])).stdout)
  const all: readonly AccountStatus[] = accounts
  expect(all).toHaveLength(ACCOUNTS.length)
  return ['iifl-xts', 'pos-connector', 'upstox/DEMO1'].map(
    (name) => all.find(({ account }) => account === name)?.generation ?? 0,
  )
}

describe('a reader that goes away ends no run: every account is done, and the exit code is the run’s', () => {
  test.each([
    ['after the first line', '% refresh --force | head -1'],
    ['before the first line', '% refresh --force | true'],
    ['before the one JSON object', '% refresh --force --json | true'],
    ['of stdout and stderr', '% refresh --force --verbose 2>&1 | head -1'],
    ['of stderr alone', '% refresh --force --verbose 2> >(true)'],
  ])('%s', async (_, text) => {
    const before = await renewals()
    const { code, stderr } = await shell(text)
    expect(code).toBe(4)
    expect(stderr).not.toMatch(/EPIPE|Unhandled|\n\s+at /)
    expect(await renewals()).toEqual(before.map((count) => count + 1))
  })

  test.each([
    ['status', 0],
    ['check', 4],
    ['doctor', 0],
    ['token fyers', 0],
    ['login fyers --print-url', 0],
    ['login fyers/BINA --code nonsense', 4],
    ['status nosuch', 2],
    ['nonsense', 2],
    ['--help', 0],
    ['--version', 0],
  ])('also of %s, which ends with %i', async (command, code) => {
    const deaf = await shell(`% ${command} | true`)
    expect(deaf.code).toBe(code)
    expect(deaf.stderr).not.toMatch(/EPIPE|Unhandled|\n\s+at /)
    expect(await shell(`% ${command} 2>&1 | true`)).toMatchObject({ code, stderr: '' })
  })

  test('nor a service: it goes on answering, and ends at Ctrl-C', async () => {
    const child = line.spawn(['serve', '--port', '0'])
    const gone = once(child, 'exit')
    let said = ''
    child.stdout?.on('data', (chunk) => {
      said += chunk
    })
    while (!said.includes('/health')) await once(child.stdout as NodeJS.ReadableStream, 'data')
    child.stdout?.destroy()
    child.stderr?.destroy()
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? []
    expect((await fetch(`${url}/health`)).status).toBe(200)
    child.kill('SIGINT')
    // It has also said that it stops.
    expect((await gone)[0]).toBe(0)
  })
})

describe('what is said to nobody', () => {
  test('that a person must log in counts as not said: the next run says it', async () => {
    const own = await CommandLine.start()
    try {
      await setUp('zerodha', own)
      expect((await shell('% refresh zerodha 2> >(true)', own)).code).toBe(4)
      const next = await own.run(['refresh', 'zerodha'])
      expect(next.stderr).toContain('Log in: Zerodha')
      expect((await own.run(['refresh', 'zerodha'])).stderr).toBe('')
    } finally {
      await own.close()
    }
  })

  test('on a full disk is told on stderr, and costs the exit code 0', async () => {
    const lost = await shell('% token fyers > /dev/full')
    expect(lost).toMatchObject({ code: 1, stderr: expect.stringContaining('ENOSPC') })
    expect(lost.stderr).not.toMatch(/Unhandled|\n\s+at /)
    const before = await renewals()
    expect((await shell('% refresh --force > /dev/full')).code).toBe(4)
    expect(await renewals()).toEqual(before.map((count) => count + 1))
  })
})
