import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ASHA_AT_FYERS, ESHA_AT_ZERODHA } from '../../lib/simulators/demo/demo-accounts.ts'
import { HTML_502 } from '../../lib/simulators/kit/simulator.ts'
import { holdNext } from '../support/held-request.ts'
import { CALL, CommandLine, type Ended, ended, saying } from './command.ts'
import { serving } from './serving.ts'
import { onTerminal, setUp } from './set-up.ts'

const NODE = process.execPath
const PRINT_ENV = [NODE, '-e', 'console.log(JSON.stringify(process.env))']
/** Says what it is, waits, and tells of each signal it gets. */
const WAITING = [
  NODE,
  '-e',
  `for (const s of ['SIGINT','SIGTERM','SIGHUP','SIGQUIT','SIGUSR2'])
     process.on(s, () => { console.log('got ' + s); if (s === 'SIGTERM') process.exit(9) })
   setInterval(() => {}, 1000); console.log('up ' + process.pid + ' ' + process.ppid)`,
]

let line: CommandLine

beforeAll(async () => {
  line = await CommandLine.start()
  for (const id of ['fyers', 'fyers/BINA', 'zerodha']) await setUp(line, id)
  await line.run(['put', 'fyers/BINA', 'refresh_token'], {
    stdin: line.world.fyers.refreshTokenFor('XS00002'),
  })
})
afterAll(() => line.close())

type Options = Parameters<CommandLine['run']>[1]
const exec = (args: readonly string[], command: readonly string[], options?: Options): Promise<Ended> =>
  line.run(['exec', ...args, '--', ...command], options)
const environment = async (...given: Parameters<typeof exec>): Promise<Record<string, string>> =>
  JSON.parse((await exec(...given)).stdout)
const published = async (account: string, env: NodeJS.ProcessEnv = {}): Promise<string> =>
  (await line.run(['token', account], { env })).stdout.trim()

async function started(args: readonly string[], command: readonly string[]): Promise<ChildProcess> {
  const child = line.spawn(['exec', ...args, '--', ...command])
  await once(child.stdout as NodeJS.ReadableStream, 'readable')
  return child
}

describe('tokenkeeper exec', () => {
  test('R1.4 gets the token a command needs before it starts, and puts it in its environment only', async () => {
    expect(line.world.fyers.refreshes).toBe(0)
    const env = await environment(['fyers', '--until', 'close'], PRINT_ENV, {
      env: { TOKENKEEPER_API_KEY: 'canary', TOKENKEEPER_REDIS_URL: '', FYERS_SESSION: 'stale', KEPT: 'yes' },
    })
    expect(line.world.fyers.refreshes).toBe(1)
    const token = await published('fyers')
    expect(env).toMatchObject({
      FYERS_ACCESS_TOKEN: token,
      TOKENKEEPER_ACCESS_TOKEN: token,
      TOKENKEEPER_AUTHORIZATION: `SIMFYERS01-100:${token}`,
      TOKENKEEPER_EXPIRES_AT: '2026-11-24T06:00:00+05:30',
      KEPT: 'yes',
    })
    for (const name of ['TOKENKEEPER_API_KEY', 'TOKENKEEPER_REDIS_URL', 'FYERS_SESSION']) {
      expect(env).not.toHaveProperty(name)
    }
  })

  test('R1.4 the token is in no command line and not in the environment of the process in between', async () => {
    const child = await started(['fyers'], WAITING)
    const [, own, parent] = /up (\d+) (\d+)/.exec(String(child.stdout?.read())) ?? []
    const token = await published('fyers')
    expect(parent).toBe(String(child.pid))
    expect(readFileSync(`/proc/${own}/environ`, 'utf8')).toContain(token)
    for (const file of [`${own}/cmdline`, `${parent}/cmdline`, `${parent}/environ`]) {
      const held = readFileSync(`/proc/${file}`, 'utf8')
      expect(held.length).toBeGreaterThan(0)
      expect(held).not.toContain(token)
    }
    child.kill('SIGTERM')
    await once(child, 'close')
  })

  test('R1.4 without a live token the command is not started, and who must act is told', async () => {
    const touched = [NODE, '-e', 'console.log("started")']
    const login = await exec(['zerodha'], touched)
    expect(login).toMatchObject({ code: 4, stdout: '' })
    expect(login.stderr).toContain(`${CALL} login zerodha`)
    expect(await exec(['fyers', '--min-valid-for', '3d'], touched)).toMatchObject({ code: 3, stdout: '' })
    expect(await exec(['fyers/NOBODY'], touched)).toMatchObject({ code: 2, stdout: '' })
    expect(await exec(['fyers', 'zerodha'], touched)).toMatchObject({ code: 4, stdout: '' })
    await line.run(['pause', 'fyers'])
    const paused = await exec(['fyers'], touched)
    await line.run(['resume', 'fyers'])
    expect(paused).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringContaining(`${CALL} resume`),
    })
    expect(await line.run(['exec', 'fyers', ...touched])).toMatchObject({ code: 2, stdout: '' })
    expect(await exec([], touched)).toMatchObject({ code: 2, stdout: '' })
    expect(await exec(['fyers'], [])).toMatchObject({ code: 2, stdout: '' })
  })

  test('hands on what follows the dashes as it stands, without a shell, and stdin with it', async () => {
    const echo = [NODE, '-e', 'process.stdin.pipe(process.stdout); console.log(process.argv.slice(1))']
    const odd = ['--', '--json', '$HOME', '*', "it's", '']
    const { stdout } = await exec(['fyers'], [...echo, ...odd], { stdin: 'from stdin' })
    expect(stdout).toContain("'--json', '$HOME', '*', \"it's\", ''")
    expect(stdout).toContain('from stdin')
  })

  test('ends as the command does: its code, 127 where there is none, 126 where it cannot be run', async () => {
    expect(await exec(['fyers'], [NODE, '-e', 'process.exit(41)'])).toMatchObject({ code: 41, stderr: '' })
    const missing = await exec(['fyers'], ['no-such-command-here'])
    expect(missing).toMatchObject({ code: 127, stderr: expect.stringContaining('command not found') })
    expect(await exec(['fyers'], [line.file('plain.txt', 'text')])).toMatchObject({ code: 126 })
  })

  test('passes signals on, and dies of the one the command died of', async () => {
    const child = await started(['fyers'], WAITING)
    const end = ended(child)
    let said = ''
    child.stdout?.on('data', (chunk) => {
      said += chunk
    })
    for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGTERM'] as const) {
      child.kill(signal)
      while (!said.includes(`got ${signal}`)) await once(child.stdout as NodeJS.ReadableStream, 'data')
    }
    expect((await end).code).toBe(9)

    const sleeping = await started(['fyers'], [NODE, '-e', 'setInterval(() => {}, 1000); console.log("up")'])
    sleeping.kill('SIGTERM')
    expect(await once(sleeping, 'exit')).toEqual([null, 'SIGTERM'])
    // No core dump of ours on top of the command's.
    const aborted = await exec(['fyers'], ['sh', '-c', 'ulimit -c 0; kill -ABRT $$'])
    expect(aborted.code).toBe(134)
  })

  test('a signal during the renewal lets it end well, and starts nothing', async () => {
    line.clock.advance(2)
    line.world.fyers.killAccessToken(ASHA_AT_FYERS.fyId)
    await line.run(['check', 'fyers', '--live'])
    const before = line.world.fyers.refreshes
    const server = line.world.servers.find(({ name }) => name === 'fyers')?.server
    if (!server) throw new Error('FYERS is not simulated')
    // The broker has issued the token, and it is not proven yet.
    const proof = holdNext(server, '/api/v3/profile')
    const child = line.spawn(['exec', 'fyers', '--', NODE, '-e', 'console.log("up")'])
    const end = ended(child)
    const exit = once(child, 'exit')
    await proof.arrived
    child.kill('SIGINT')
    await saying(child.stderr, 'Stopping')
    proof.release()
    expect(await exit).toEqual([null, 'SIGINT'])
    expect(await end).toMatchObject({ stdout: '', stderr: expect.stringContaining('Stopping') })
    expect(await line.run(['check', 'fyers', '--live'])).toMatchObject({ code: 0 })
    expect(line.world.fyers.refreshes).toBe(before + 1)
  })

  test('at a terminal nothing is added to the Ctrl-C that the command has already', async () => {
    const counting = `let n = 0; process.on('SIGINT', () => n++); setInterval(() => {}, 1000)
      process.on('SIGUSR2', () => { console.log('count ' + n); process.exit(6) })
      console.log('ready under ' + process.ppid + '.')`
    const command = [NODE, line.file('counting.cjs', counting)]
    // Whatever we make of the Ctrl-C was sent before this signal, which we do pass on.
    const afterStop = (said: string): void =>
      void process.kill(Number(/under (\d+)\./.exec(said)?.[1]), 'SIGUSR2')
    const stop = { stopAfter: 'ready under', afterStop }
    const usual = await onTerminal(line, ['exec', 'fyers', '--', ...command], stop)
    expect(usual).toMatchObject({ code: 6, stdout: expect.stringContaining('count 1') })
    // Out of the terminal's reach it would get what we pass on, and nothing else.
    const apart = ['exec', 'fyers', '--', 'setsid', ...command]
    const alone = await onTerminal(line, apart, stop)
    expect(alone).toMatchObject({ code: 6, stdout: expect.stringContaining('count 0') })
  })

  test('the stores are closed while the command runs', async () => {
    const child = await started(['fyers'], WAITING)
    const open = readdirSync(`/proc/${child.pid}/fd`).map((fd) => readlinkSync(`/proc/${child.pid}/fd/${fd}`))
    expect(open.length).toBeGreaterThan(2)
    expect(open.filter((path) => path.startsWith(line.home))).toEqual([])
    expect(await line.run(['setup', 'fyers', '--nickname', 'Asha'])).toMatchObject({ code: 0 })
    child.kill('SIGTERM')
    await once(child, 'close')
  })

  test('several accounts of one broker have a variable each, and the default one the broker’s', async () => {
    const env = await environment(['fyers/BINA', 'fyers'], PRINT_ENV, {
      env: { TOKENKEEPER_ACCESS_TOKEN: 'of an outer exec', TOKENKEEPER_AUTHORIZATION: 'of an outer exec' },
    })
    expect(env['FYERS_ACCESS_TOKEN']).toBe(await published('fyers'))
    expect(env['FYERS_BINA_ACCESS_TOKEN']).toBe(await published('fyers/BINA'))
    expect(env['FYERS_ACCESS_TOKEN']).not.toBe(env['FYERS_BINA_ACCESS_TOKEN'])
    expect(env).not.toHaveProperty('TOKENKEEPER_ACCESS_TOKEN')
    expect(env).not.toHaveProperty('TOKENKEEPER_AUTHORIZATION')
  })

  test('through the launcher the command finds its owner’s tools, not ours', async () => {
    const launcher = resolve(import.meta.dirname, '../../lib/cli/tokenkeeper.mjs')
    const child = spawn(NODE, [launcher, 'exec', 'fyers', '--', ...PRINT_ENV], { env: line.env })
    const { code, stdout } = await ended(child)
    expect(code).toBe(0)
    const ours = resolve(import.meta.dirname, '../../node_modules/.bin')
    expect(JSON.parse(stdout).PATH.split(delimiter)).not.toContain(ours)
  })
})

test('the launcher passes on what it gets, too', async () => {
  const launcher = resolve(import.meta.dirname, '../../lib/cli/tokenkeeper.mjs')
  const child = spawn(NODE, [launcher, 'exec', 'fyers', '--', ...WAITING], { env: line.env })
  const end = ended(child)
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  while (!said.includes('up')) await once(child.stdout, 'data')
  for (const signal of ['SIGQUIT', 'SIGUSR2', 'SIGTERM'] as const) {
    child.kill(signal)
    while (!said.includes(`got ${signal}`)) await once(child.stdout, 'data')
  }
  expect((await end).code).toBe(9)
})

describe('a command that says that its token was refused', () => {
  const asking = `fetch(process.env.PROFILE, { headers: { authorization: process.env.TOKENKEEPER_AUTHORIZATION } })
    .then((reply) => { console.log('asked ' + reply.status); process.exit(reply.status === 401 ? 77 : 0) })`
  const job = [NODE, '-e', asking]
  const options = () => ({ env: { PROFILE: `${line.env['TOKENKEEPER_HOST_FYERS_API']}/api/v3/profile` } })

  // Another trading day: FYERS may be asked three times a day, and on a holiday nobody is.
  beforeAll(async () => {
    line.clock.advance(48 * 60)
    await line.run(['refresh'])
  })

  test('is started once more with the renewed token', async () => {
    line.clock.advance(2)
    line.world.fyers.killAccessToken(ASHA_AT_FYERS.fyId)
    const before = line.world.fyers.refreshes
    expect(await exec(['fyers'], job, options())).toMatchObject({ code: 77, stdout: 'asked 401\n' })
    const done = await exec(['fyers', '--refresh-on-exit-code', '77'], job, options())
    expect(done).toMatchObject({ code: 0, stdout: 'asked 401\nasked 200\n' })
    expect(done.stderr).toContain('started once more')
    expect(line.world.fyers.refreshes).toBe(before + 1)
  })

  test('is not started again when the broker takes the token', async () => {
    line.clock.advance(2)
    const before = line.world.fyers.refreshes
    const stubborn = [NODE, '-e', 'console.log("started"); process.exit(77)']
    const done = await exec(['fyers', '--refresh-on-exit-code', '77'], stubborn)
    expect(done).toMatchObject({ code: 77, stdout: 'started\n' })
    expect(done.stderr).toContain('takes the token')
    expect(line.world.fyers.refreshes).toBe(before)
  })

  test('is not started a third time', async () => {
    line.clock.advance(2)
    line.world.fyers.killAccessToken(ASHA_AT_FYERS.fyId)
    const stubborn = [NODE, '-e', 'console.log("started"); process.exit(77)']
    const done = await exec(['fyers', '--refresh-on-exit-code', '77'], stubborn)
    expect(done).toMatchObject({ code: 77, stdout: 'started\nstarted\n' })
  })

  test('ends with its own code when there is no newer token to be had', async () => {
    line.clock.advance(2)
    await line.run(['put', 'fyers/BINA', 'pin'], { stdin: '9999' })
    line.world.fyers.killAccessToken('XS00002')
    const done = await exec(['fyers/BINA', '--refresh-on-exit-code', '77'], [NODE, '-e', 'process.exit(77)'])
    expect(done.code).toBe(77)
    expect(done.stderr).toMatch(/Error: .*fyers\/BINA/)
  })
})

describe('from elsewhere', () => {
  test('R1.4 over REST a key is enough: the token is the keeper’s, and the key is not handed on', async () => {
    line.clock.advance(2)
    const served = await serving(line)
    try {
      const key = await served.key('--scope', 'token', '--scope', 'refresh', '--account', 'fyers')
      const env = { TOKENKEEPER_URL: served.url, TOKENKEEPER_API_KEY: key, TOKENKEEPER_HOME: '/nonexistent' }
      const got = await environment(['fyers', '--min-valid-for', '1h'], PRINT_ENV, { env })
      expect(got).toMatchObject({
        FYERS_ACCESS_TOKEN: await published('fyers'),
        TOKENKEEPER_EXPIRES_AT: '2026-11-26T06:00:00+05:30',
      })
      expect(got).not.toHaveProperty('TOKENKEEPER_API_KEY')
    } finally {
      await served.stop()
    }
  })

  test('on AWS the right to read the published parameters is enough, and what cannot be known is said', async () => {
    const asked: string[] = []
    const aws = createServer(async (request, response) => {
      const target = String(request.headers['x-amz-target'] ?? request.url)
      asked.push(`${target} ${await text(request)}`)
      const isRead = target === 'AmazonSSM.GetParameters'
      const Value = 'SIMULATED|published-token'
      const parameter = { Name: '/stock-pipeline/pos-connector/access_token', Type: 'SecureString', Value }
      const found = { ...parameter, Version: 4, LastModifiedDate: Math.floor(Date.now() / 1_000) }
      const body = isRead
        ? { Parameters: [found], InvalidParameters: [] }
        : { __type: 'AccessDeniedException', message: 'not authorized' }
      response.writeHead(isRead ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' })
      response.end(JSON.stringify(body))
    }).listen(0, '127.0.0.1')
    await once(aws, 'listening')
    const env = {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(aws.address() as AddressInfo).port}`,
      AWS_REGION: 'ap-south-1',
      AWS_ACCESS_KEY_ID: 'SIMULATED',
      AWS_SECRET_ACCESS_KEY: 'SIMULATED',
      AWS_EC2_METADATA_DISABLED: 'true',
      TOKENKEEPER_NOW: '',
    }
    try {
      const got = await environment(['pos-connector', '--backend', 'aws'], PRINT_ENV, { env })
      expect(got).toMatchObject({
        POS_CONNECTOR_ACCESS_TOKEN: 'SIMULATED|published-token',
        TOKENKEEPER_AUTHORIZATION: 'Bearer SIMULATED|published-token',
      })
      expect(asked.some((one) => one.startsWith('AmazonSSM.GetParameters'))).toBe(true)
      expect(asked.join()).not.toMatch(/password|client_secret|refresh_token/)
      const checked = await line.run(['check', 'pos-connector', '--backend', 'aws'], { env })
      expect(checked).toMatchObject({ code: 3, stdout: expect.stringContaining('nobody can tell') })
    } finally {
      aws.closeAllConnections()
      aws.close()
    }
  })
})

test('R1.4 a token that is on record as refused is not handed out, although its time is not over', async () => {
  line.clock.advance(2)
  line.world.fyers.killAccessToken(ASHA_AT_FYERS.fyId)
  expect(await line.run(['check', 'fyers', '--live'])).toMatchObject({ code: 4 })
  const done = await exec(['fyers'], [NODE, '-e', 'console.log("started")'])
  expect(done).toMatchObject({ code: 4, stdout: '' })
  expect(done.stderr).toContain(`${CALL} login fyers`)
})

test('I9 a token in doubt that the broker refuses when it is asked is not handed out either', async () => {
  const login = () =>
    line.run(['login', 'zerodha', '--code', '-'], {
      stdin: line.world.zerodha.requestTokenFor(ESHA_AT_ZERODHA.userId),
    })
  expect(await login()).toMatchObject({ code: 0 })
  line.clock.advance(2)
  const server = line.world.servers.find(({ name }) => name === 'zerodha')?.server
  if (!server) throw new Error('Zerodha is not simulated')
  // The second login ends the first token, and its reply is lost.
  server.failNext('/session/token', { kind: 'lost_reply' })
  for (let i = 0; i < 2; i++) server.failNext('/user/profile', HTML_502)
  expect((await login()).stderr).toContain('Whether the old token still works is unproven')
  line.clock.advance(2)
  for (let time = 0; time < 2; time++) {
    const done = await exec(['zerodha'], [NODE, '-e', 'console.log("started")'])
    expect(done).toMatchObject({ code: 4, stdout: '' })
    expect(done.stderr).toContain(`${CALL} login zerodha`)
  }
})
