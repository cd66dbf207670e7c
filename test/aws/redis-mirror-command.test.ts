import { afterAll, beforeAll, expect, test } from 'vitest'
import { CommandLine } from '../command/command.ts'
import { RedisServer } from './support/redis-server.ts'

const PASSWORD = 'SIMULATED-redis-password'
const DEFAULT_KEYS = ['token_info', 'token_info:DEMO1', 'upstox_access_token', 'upstox_access_token:DEMO1']

let line: CommandLine
let redis: RedisServer
let config: string
const said: string[] = []
let token: string | undefined

beforeAll(async () => {
  redis = await RedisServer.start({ password: PASSWORD })
  line = await CommandLine.start()
  const mirrors = { redis: { url: redis.url() } }
  const tokenkeeper = { brokers: { upstox: {} }, mirrors }
  config = line.file('cdk.json', JSON.stringify({ context: { tokenkeeper } }))
})
afterAll(async () => {
  await line?.close()
  await redis?.stop()
})

async function run(args: readonly string[], stdin = '', env: Readonly<Record<string, string>> = {}) {
  const given = { stdin, env: { UPSTOX_ACCOUNT_IDS: 'DEMO1,DEMO2', ...env } }
  const done = await line.run([...args, '--config', config], given)
  said.push(done.stdout, done.stderr)
  return done
}

test('without its password the mirror fails, and mirrors test says which command stores it', async () => {
  expect(await run(['mirrors', 'test'])).toMatchObject({
    code: 5,
    stderr: expect.stringMatching(/Fix: .*tokenkeeper.* mirrors password/),
  })
})

test('R2.8 with the stored password a refresh writes the keys of the first UPSTOX_ACCOUNT_IDS also without it', async () => {
  expect(await run(['mirrors', 'password'], `${PASSWORD}\n`)).toMatchObject({ code: 0 })
  expect(await run(['refresh', 'upstox/DEMO1'])).toMatchObject({ code: 0, stderr: '' })
  const contents = await redis.contents()
  expect(Object.keys(contents)).toEqual(DEFAULT_KEYS)
  token = contents['upstox_access_token']
  expect(JSON.parse(contents['token_info'] ?? '')).toMatchObject({ account_id: 'DEMO1', source: 'upstream' })
})

test('mirrors test and doctor find the mirror and its keys', async () => {
  const { code, stdout } = await run(['mirrors', 'test'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^Redis at localhost:\d+ answers within \d+ ms$/m)
  expect(stdout).toMatch(/upstox\/DEMO1: upstox_access_token is there, generation 1, ends in \d+ h \d+ min/)
  expect((await run(['doctor', '--verbose'])).stdout).toMatch(
    /pass {2}mirror: Redis at localhost:\d+ answers/,
  )
})

test('a pause takes the keys away at once', async () => {
  expect(await run(['pause', 'upstox/DEMO1'])).toMatchObject({ code: 0, stderr: '' })
  expect(await redis.contents()).toEqual({})
  const { code, stdout } = await run(['mirrors', 'test'])
  expect(code).toBe(0)
  expect(stdout).toContain('upstox/DEMO1: upstox_access_token:DEMO1 is not there')
})

test('TOKENKEEPER_REDIS_URL is stronger than cdk.json, and may bring a password of its own', async () => {
  const other = await RedisServer.start({ password: 'SIMULATED-other/password' })
  try {
    await run(['resume', 'upstox/DEMO1'])
    const url = `redis://:SIMULATED-other%2Fpassword@127.0.0.1:${other.port}`
    const refresh = await run(['refresh', 'upstox/DEMO1'], '', { TOKENKEEPER_REDIS_URL: url })
    expect(refresh).toMatchObject({ code: 0, stderr: '' })
    expect(Object.keys(await other.contents())).toEqual(DEFAULT_KEYS)
    expect(await redis.contents()).toEqual({})
  } finally {
    await other.stop()
  }
})

test('the simulated world writes nothing there', async () => {
  await redis.command('FLUSHALL')
  const serve = line.spawn(['serve', '--demo', '--port', '0', '--speed', '60', '--config', config])
  let shown = ''
  serve.stdout?.on('data', (chunk) => {
    shown += chunk
  })
  await expect.poll(() => shown, { timeout: 30_000 }).toMatch(/pos-connector +refreshed/)
  serve.kill('SIGINT')
  await new Promise((resolve) => serve.once('close', resolve))
  expect(await redis.contents()).toEqual({})
})

test('no command printed the password or a token', async () => {
  const all = said.join('')
  expect(all).not.toContain(PASSWORD)
  expect(all).not.toContain('other/password')
  expect(token).toMatch(/^\S{20,}$/)
  expect(all).not.toContain(token)
})
