import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ssmClient } from '../../lib/aws/clients.ts'
import { ssmTokenVault } from '../../lib/aws/ssm-token-vault.ts'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { ALL_BROKERS } from '../../lib/brokers/index.ts'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import { type LocalServer, startLocalServer } from '../../lib/local/local-server.ts'
import { redisMirror } from '../../lib/mirrors/redis/mirror.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import { RestWorld } from '../rest/support/rest-world.ts'
import { type BrokerAddresses, startBrokerAddresses } from './support/broker-addresses.ts'
import { ConsumerWorld } from './support/consumer-world.ts'
import type { Ended } from './support/deployment-processes.ts'
import { type Emulator, emulatorEnvironment, useEnvironment } from './support/emulator.ts'
import { startMoto } from './support/moto-server.ts'
import { emulatorProgram } from './support/python-environment.ts'
import { needed, readmeExample, runProgram } from './support/readme-example.ts'
import { RedisServer } from './support/redis-server.ts'

/** Programs are run on the host's clock: far enough from it, no midnight comes between token and reader. */
const A_CENTURY_AHEAD = '2126-11-25T08:00:00+05:30'
const LONG_AGO = '2016-11-23T08:00:00+05:30'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-consumer-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function python(comment: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  return runProgram(emulatorProgram('python'), ['-c', readmeExample('python', comment)], env, folder)
}

describe('a program that reads SSM', () => {
  let moto: Emulator
  let restore: () => void
  let world: ConsumerWorld
  let addresses: BrokerAddresses
  beforeAll(async () => {
    moto = await startMoto()
    restore = useEnvironment(moto.endpoint)
    world = await ConsumerWorld.open(Temporal.Now.instant().toString())
    const { clock } = world
    const vault = ssmTokenVault({ client: ssmClient(), prefix: '/stock-pipeline', clock })
    world.ports = { ...world.ports, vault }
    addresses = await startBrokerAddresses(world.addresses)
    const account = await world.fyersAccount()
    expect((await world.run(fyers)).report.results).toMatchObject([{ account, outcome: 'refreshed' }])
  })
  afterAll(async () => {
    await addresses?.close()
    await world?.close()
    restore?.()
    await moto?.stop()
  })

  test('R3.3 in Python, with boto3, sends FYERS a header that FYERS accepts', async () => {
    const seen = world.fyersServer.count('/api/v3/profile')
    const { code, stdout, stderr } = await python('# boto3', {
      ...emulatorEnvironment(moto.endpoint),
      ...addresses.env,
      FYERS_CLIENT_ID: world.fyersApp.clientId,
    })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ s: 'ok', data: { fy_id: world.fyersUser.fyId } })
    expect(world.fyersServer.count('/api/v3/profile')).toBe(seen + 1)
  })

  test('R3.3 in a shell, with the AWS command line, gets the published token and no more', async () => {
    needed('bash', 'bash')
    const bin = join(emulatorProgram('aws'), '..')
    const env = {
      ...emulatorEnvironment(moto.endpoint),
      PATH: [bin, process.env['PATH']].join(delimiter),
    }
    const { code, stdout, stderr } = await runProgram(
      'bash',
      ['-c', readmeExample('bash', '# aws')],
      env,
      folder,
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(`${await world.stored(world.fyersId, 'access_token')}\n`)
  })
})

describe('a program that reads the Redis mirror', () => {
  let redis: RedisServer
  let world: ConsumerWorld
  let addresses: BrokerAddresses | undefined
  beforeAll(async () => {
    redis = await RedisServer.start()
  })
  afterAll(() => redis?.stop())
  beforeEach(() => redis.command('FLUSHALL'))
  afterEach(async () => {
    await addresses?.close()
    addresses = undefined
    await world.close()
  })

  /** Publishes a token at this time, with the mirror in place, and runs the example on the host's clock. */
  async function published(at: string): Promise<Ended> {
    world = await ConsumerWorld.open(at)
    const { clock } = world
    const mirror = redisMirror({
      url: redis.url(),
      password: async () => undefined,
      defaultAccounts: [],
      brokers: ALL_BROKERS,
      clock,
    })
    world.ports = { ...world.ports, subscribers: [mirror] }
    addresses = await startBrokerAddresses(world.addresses)
    await world.account('upstox/ACC1', {})
    expect((await world.run(upstox)).report.results).toMatchObject([{ outcome: 'refreshed' }])
    expect(Object.keys(await redis.contents())).toContain('upstox_access_token:ACC1')
    return example()
  }

  function example(): Promise<Ended> {
    return python('# redis-py', { ...addresses?.env, REDIS_URL: redis.url() })
  }

  test('R2.8 in Python, with redis-py, gets what the mirror wrote, and Upstox accepts it', async () => {
    const { code, stdout, stderr } = await published(A_CENTURY_AHEAD)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ status: 'success', data: { user_id: 'SIM001' } })
  })

  test('R2.8 in Python ends before it sends a token whose time is over', async () => {
    const { code, stderr } = await published(LONG_AGO)
    expect(stderr).toBe('no live token: tokenkeeper status upstox/ACC1 says why\n')
    expect(code).toBe(1)
    // The proof of the run, and nothing of the program.
    expect(world.upstoxServer.count('/v2/user/profile')).toBe(1)
  })

  test('in Python ends in the same words where the keys are gone', async () => {
    await published(A_CENTURY_AHEAD)
    await redis.command('FLUSHALL')
    expect(await example()).toMatchObject({
      code: 1,
      stderr: 'no live token: tokenkeeper status upstox/ACC1 says why\n',
    })
  })
})

describe('a program that asks the REST interface with curl', () => {
  let world: RestWorld
  let server: LocalServer
  let addresses: BrokerAddresses
  let account: AccountId
  let token: string | undefined
  beforeEach(async () => {
    world = await RestWorld.open()
    server = await startLocalServer(world.app, 0)
    addresses = await startBrokerAddresses({ 'api.upstox.com': world.upstoxServer.origin })
    account = await world.account('upstox', {}, { options: { upstreamAccountId: 'ACC1' } })
    await world.run(upstox)
    token = await world.stored(account, 'access_token')
  })
  afterEach(async () => {
    await addresses?.close()
    await server?.close()
    await world?.close()
  })

  /** The example, as a script, and what every program it started was called with. */
  async function example(key: string): Promise<Ended & { profile: unknown; args: string }> {
    const bin = join(folder, 'bin')
    const args = join(folder, 'arguments')
    mkdirSync(bin)
    for (const [name, program] of [
      ['curl', needed('curl', 'curl')],
      ['python3', emulatorProgram('python')],
    ] as const) {
      const lines = [`printf '%s\\n' "$@" >>'${args}'`, `exec '${program}' "$@"`]
      writeFileSync(join(bin, name), `#!/bin/bash\n${lines.join('\n')}\n`)
      chmodSync(join(bin, name), 0o755)
    }
    const script = join(folder, 'example.sh')
    writeFileSync(script, `${readmeExample('bash', '# curl')}\necho "$status"\n`)
    const ended = await runProgram(
      needed('bash', 'bash'),
      [script],
      {
        ...addresses.env,
        PATH: [bin, process.env['PATH']].join(delimiter),
        TOKENKEEPER_URL: server.url,
        KEY: key,
      },
      folder,
    )
    const profile = join(folder, 'profile.json')
    const text = ended.code === 0 ? readFileSync(profile, 'utf8') : 'null'
    return { ...ended, profile: JSON.parse(text), args: readFileSync(args, 'utf8') }
  }

  test('R2.5 gets the token and Upstox accepts it; neither key nor token is in any argument', async () => {
    const key = await world.key(['token', 'refresh'], ['upstox'])
    const { code, stdout, stderr, profile, args } = await example(key)
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '200\n', stderr: '' })
    expect(profile).toMatchObject({ status: 'success', data: { user_id: 'SIM001' } })
    expect(args).toContain('--config')
    expect(args).not.toContain(key)
    expect(args).not.toContain(token)
  })

  test('R2.7 that is refused reports the generation, gets the next token and repeats its call', async () => {
    const key = await world.key(['token', 'refresh'], ['upstox'])
    world.clock.advance({ minutes: 2 })
    world.upstox.killAccessToken('SIM001')
    const { code, stdout, stderr, profile, args } = await example(key)
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '200\n', stderr: '' })
    expect(profile).toMatchObject({ status: 'success', data: { user_id: 'SIM001' } })
    expect(args).toContain('{"generation": 1}')
    const after = await world.stored(account, 'access_token')
    expect(after).not.toBe(token)
    for (const secret of [key, token, after]) expect(args).not.toContain(secret)
  })

  test('ends with what the interface said to a key that may not', async () => {
    const { code, stderr } = await example(await world.key(['status']))
    expect(code).toBe(1)
    expect(stderr).toContain('insufficient_scope')
  })
})

describe('the examples are never passed over', () => {
  test('where a program is missing, whose package is named', () => {
    expect(() => needed('no-such-program', 'its-package')).toThrow('apt-get install its-package')
  })

  test('where the README has lost one', () => {
    expect(() => readmeExample('bash', '# no such example')).toThrow('exactly one block')
  })
})
