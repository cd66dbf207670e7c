import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'dotenv'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { CommandLine } from './command.ts'

const GIVEN = { UPSTOX_ACCOUNT_IDS: 'DEMO1' }

let line: CommandLine
beforeAll(async () => {
  line = await CommandLine.start()
})
afterAll(() => line.close())

/** A cdk.json in a folder of its own, beside which mirrors lie. */
function configured(mirrors: object): string {
  mkdirSync(join(line.folder, 'clone'), { recursive: true })
  const brokers = { upstox: {}, fyers: {} }
  return line.file('clone/cdk.json', JSON.stringify({ context: { tokenkeeper: { brokers, mirrors } } }))
}

const dotenv = (): string => join(line.folder, 'clone/.env')

describe('a file beside cdk.json', () => {
  let config: string
  beforeAll(() => {
    config = configured({ files: [{ path: '.env', accounts: ['upstox/DEMO1'] }] })
  })
  afterEach(() => rmSync(dotenv(), { force: true }))

  const run = (...args: string[]) => line.run([...args, '--config', config], { env: GIVEN })
  const variables = (): Readonly<Record<string, string>> => parse(readFileSync(dotenv()))

  test('gets the token of a refresh, keeps what is in it, and loses the token at once when the account is paused', async () => {
    writeFileSync(dotenv(), 'OTHER=1\n')
    expect(await run('refresh', 'upstox', '--force')).toMatchObject({ code: 0 })
    expect(variables()).toEqual({
      OTHER: '1',
      UPSTOX_DEMO1_ACCESS_TOKEN: expect.stringMatching(/^\S{8,}$/),
      UPSTOX_ACCESS_TOKEN: expect.stringMatching(/^\S{8,}$/),
    })
    expect(await run('pause', 'upstox/DEMO1')).toMatchObject({ code: 0, stderr: '' })
    expect(readFileSync(dotenv(), 'utf8')).toBe('OTHER=1\n')
    expect(await run('resume', 'upstox/DEMO1')).toMatchObject({ code: 0 })
    await run('refresh', 'upstox')
    expect(Object.keys(variables())).toHaveLength(3)
  })

  test('may be named with ~ for the folder of whoever runs the command', async () => {
    const tilde = configured({ files: [{ path: '~/tilde.env', accounts: ['upstox/DEMO1'] }] })
    const env = { ...GIVEN, HOME: line.folder }
    expect(await line.run(['refresh', 'upstox', '--config', tilde], { env })).toMatchObject({ code: 0 })
    expect(readFileSync(join(line.folder, 'tilde.env'), 'utf8')).toContain('UPSTOX_ACCESS_TOKEN=')
    configured({ files: [{ path: '.env', accounts: ['upstox/DEMO1'] }] })
  })

  test('that was deleted is made again by a run that finds the token fresh', async () => {
    const { stdout } = await run('refresh', 'upstox', '--json')
    expect(JSON.parse(stdout).results).toMatchObject([{ outcome: 'fresh' }])
    expect(Object.keys(variables())).toHaveLength(2)
  })

  test('is told about by mirrors test, without the token', async () => {
    await run('refresh', 'upstox')
    const token = variables()['UPSTOX_ACCESS_TOKEN'] ?? ''
    expect(token).not.toBe('')
    const there = await run('mirrors', 'test')
    expect(there).toMatchObject({ code: 0, stdout: expect.stringContaining(dotenv()) })
    expect(there.stdout).toContain('upstox/DEMO1: UPSTOX_DEMO1_ACCESS_TOKEN is there')
    expect(there.stdout + there.stderr).not.toContain(token)
    rmSync(dotenv())
    const gone = await run('mirrors', 'test', '--json')
    expect(gone.code).toBe(0)
    expect(JSON.parse(gone.stdout)).toMatchObject({
      success: true,
      mirrors: [{ mirror: dotenv(), holds: [{ account: 'upstox/DEMO1', there: false }, { there: false }] }],
    })
  })

  test('passes doctor', async () => {
    expect((await run('doctor', '--verbose')).stdout).toContain(`pass  mirror: ${dotenv()} can be written`)
  })

  test('whose folder is missing fails doctor and mirrors nothing, and no refresh', async () => {
    config = configured({ files: [{ path: 'nowhere/.env' }] })
    const doctor = await run('doctor')
    expect(doctor.code).toBe(5)
    expect(doctor.stdout).toContain(`FAIL  mirror: there is no folder ${join(line.folder, 'clone/nowhere')}`)
    line.clock.advance(10)
    const refresh = await run('refresh', 'upstox', '--force')
    expect(refresh).toMatchObject({ code: 0, stderr: expect.stringContaining('make the folder') })
  })
})

describe('a Redis nobody can reach', () => {
  let config: string
  let port: number
  beforeAll(async () => {
    port = await freePort()
    config = configured({ redis: { url: `redis://127.0.0.1:${port}` } })
  })

  const run = (...args: string[]) => line.run([...args, '--config', config], { env: GIVEN })

  test('fails no refresh and no pause, and each says so on stderr', async () => {
    line.clock.advance(10)
    const said = expect.stringContaining('the Redis mirror failed')
    expect(await run('refresh', 'upstox', '--force')).toMatchObject({ code: 0, stderr: said })
    expect(await run('pause', 'upstox/DEMO1')).toMatchObject({ code: 0, stderr: said })
    await run('resume', 'upstox/DEMO1')
  })

  test('fails mirrors test and doctor with exit code 5 and what to do', async () => {
    const tested = await run('mirrors', 'test')
    expect(tested).toMatchObject({ code: 5, stdout: '' })
    expect(tested.stderr).toContain(`Redis at 127.0.0.1:${port} refuses connections`)
    expect(tested.stderr).toContain('Fix:')
    const doctor = await run('doctor')
    expect(doctor.code).toBe(5)
    expect(doctor.stdout).toContain('FAIL  mirror: Redis at')
  })
})

describe('tokenkeeper mirrors', () => {
  test('test says where to configure one', async () => {
    const config = configured({})
    const done = await line.run(['mirrors', 'test', '--config', config])
    expect(done).toMatchObject({ code: 5, stderr: expect.stringContaining('no mirror is configured') })
  })

  test('password wants one on stdin, and repeats none', async () => {
    expect(await line.run(['mirrors', 'password'], { stdin: ' \n' })).toMatchObject({ code: 2, stdout: '' })
    const done = await line.run(['mirrors', 'password'], { stdin: 'SIMULATED-redis-password\n' })
    expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('was stored') })
    expect(done.stdout + done.stderr).not.toContain('SIMULATED-redis-password')
  })

  test.each([
    ['in the clear', 'redis://:SIM-password@cache.example.invalid', 'must be rediss'],
    ['no address', 'SIM-password', 'is no address of a Redis'],
  ])('refuses a TOKENKEEPER_REDIS_URL that is %s, without repeating it', async (_, url, says) => {
    const done = await line.run(['status'], { env: { TOKENKEEPER_REDIS_URL: url } })
    expect(done).toMatchObject({ code: 5, stderr: expect.stringContaining(`TOKENKEEPER_REDIS_URL ${says}`) })
    expect(done.stderr).not.toContain('SIM-password')
  })
})
