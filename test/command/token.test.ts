import { execFileSync } from 'node:child_process'
import { parse } from 'dotenv'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CALL, CommandLine } from './command.ts'
import { serving } from './serving.ts'
import { onTerminal, setUp } from './set-up.ts'

const TOKEN = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/

let line: CommandLine

beforeAll(async () => {
  line = await CommandLine.start()
  await setUp(line, 'fyers')
  await setUp(line, 'fyers/BINA')
  await setUp(line, 'zerodha')
  await line.run(['refresh', 'fyers'])
})
afterAll(() => line.close())

const token = (...args: string[]) => line.run(['token', ...args])

describe('tokenkeeper token', () => {
  test('prints the access token and a newline into a pipe, and nothing else', async () => {
    const done = await token('fyers', '--until', 'close')
    expect(done).toMatchObject({ code: 0, stderr: '' })
    expect(done.stdout.endsWith('\n')).toBe(true)
    expect(done.stdout.slice(0, -1)).toMatch(TOKEN)
  })

  test('R1.6 --dotenv prints a line that dotenv and the shell read alike, and no credential', async () => {
    const { stdout } = await token('fyers', '--dotenv')
    expect(stdout).toMatch(/^FYERS_ACCESS_TOKEN='[^']+'\n$/)
    const plain = (await token('fyers')).stdout.trim()
    expect(parse(stdout)).toEqual({ FYERS_ACCESS_TOKEN: plain })
    const script = `${stdout}printf %s "$FYERS_ACCESS_TOKEN"`
    expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' })).toBe(plain)
  })

  test('--json has the token with what a program needs to use it', async () => {
    const said = JSON.parse((await token('fyers', '--json')).stdout)
    expect(said).toEqual({
      account: 'fyers',
      broker: 'fyers',
      access_token: expect.stringMatching(TOKEN),
      authorization: `SIMFYERS01-100:${said.access_token}`,
      expires_at: '2026-11-24T06:00:00+05:30',
      generation: 1,
      session: null,
    })
  })

  test.each([
    ['no token yet', ['zerodha'], 4, `run ${CALL} login zerodha`],
    ['a token that dies too early', ['fyers', '--min-valid-for', '3d'], 3, 'too short'],
    ['an account there is not', ['fyers/NOBODY'], 2, 'not set up'],
    ['no account', [], 2, 'whose token'],
    ['two kinds of output at once', ['fyers', '--json', '--dotenv'], 2, 'exclude'],
  ])('with %s it prints nothing to stdout and says what to do', async (_, args, code, words) => {
    const done = await token(...args)
    expect(done.code).toBe(code)
    // Errors are JSON where that is asked for, and hold no token.
    expect(done.stdout + done.stderr).toContain(words)
    expect(done.stdout + done.stderr).not.toMatch(/eyJ/)
    if (!args.includes('--json')) expect(done.stdout).toBe('')
  })

  test('on a terminal it refuses, with --json too, and says how it is meant', async () => {
    for (const args of [
      ['token', 'fyers'],
      ['token', 'fyers', '--json'],
    ]) {
      const done = await onTerminal(line, args)
      expect(done.code).toBe(2)
      expect(done.stdout).toContain('--show')
      expect(done.stdout).not.toMatch(/eyJ/)
    }
  })

  test('on a terminal with --show it warns that the token stays in the scrollback', async () => {
    const done = await onTerminal(line, ['token', 'fyers', '--show'])
    expect(done.code).toBe(0)
    expect(done.stdout).toMatch(/^eyJ[\w.-]+\r\n.*scrollback/)
  })

  test('over REST a key with the scope token is enough', async () => {
    const served = await serving(line)
    try {
      const key = await served.key('--scope', 'token', '--account', 'fyers')
      const env = { TOKENKEEPER_URL: served.url, TOKENKEEPER_API_KEY: key, TOKENKEEPER_HOME: '/nonexistent' }
      const remote = await line.run(['token', 'fyers', '--min-valid-for', '2h'], { env })
      expect(remote).toMatchObject({ code: 0, stderr: '' })
      expect(remote.stdout).toBe((await token('fyers')).stdout)
      expect(await line.run(['token', 'zerodha'], { env })).toMatchObject({ code: 5, stdout: '' })
    } finally {
      await served.stop()
    }
  })

  test('an expired token is not printed, and nothing is renewed', async () => {
    line.clock.advance(24 * 60)
    const done = await token('fyers')
    expect(done).toMatchObject({ code: 3, stdout: '' })
    expect(done.stderr).toContain('expired Tue 24 Nov 06:00 IST')
    expect(done.stderr).toContain(`run ${CALL} refresh fyers`)
    expect(line.world.fyers.refreshes).toBe(1)
  })
})
