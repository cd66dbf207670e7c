import { afterEach, beforeEach, expect, test } from 'vitest'
import { ALL_BROKERS } from '../../lib/brokers/index.ts'
import { storedRedisMirror, storeRedisPassword } from '../../lib/mirrors/redis/mirror.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import { removeAccount } from '../../lib/tokens/service/remove.ts'
import { freePort } from '../support/free-port.ts'
import { LoginWorld } from '../support/login-world.ts'
import { RedisServer } from './support/redis-server.ts'

const PASSWORD = 'SIMULATED-redis-password'
const TOKEN_KEY = 'loginbroker_access_token'
const KEYS = [TOKEN_KEY, 'loginbroker_token_info']

let world: LoginWorld
let account: AccountId
let port: number
let redis: RedisServer | undefined

const start = async (): Promise<RedisServer> => {
  redis = await RedisServer.start({ port, password: PASSWORD })
  return redis
}

beforeEach(async () => {
  port = await freePort()
  world = await LoginWorld.open()
  const { vault, clock } = world.ports
  await storeRedisPassword(vault, new Secret(PASSWORD))
  const mirror = storedRedisMirror({
    url: `redis://localhost:${port}`,
    defaultAccounts: [],
    brokers: ALL_BROKERS,
    vault,
    clock,
  })
  world.ports = { ...world.ports, subscribers: [mirror] }
  account = await world.loginAccount()
})
afterEach(async () => {
  await redis?.stop()
  redis = undefined
  await world.close()
})

const failures = (): number => world.counts.get('loginbroker SubscriberFailed') ?? 0
const outcome = async (force = false): Promise<string | undefined> =>
  (await world.runOne(world.broker, { force })).outcome

test('R2.8 a Redis that is down fails no login and no refresh, and gets the token once it is back', async () => {
  await world.logIn(account)
  expect(await outcome(true)).toBe('refreshed')
  await world.clock.sleep(61_000)
  expect((await world.logIn(account)).success).toBe(true)
  expect(failures()).toBe(3)
  const said = world.logs.filter(({ message }) => message.includes('Redis mirror'))
  expect(said[0]?.fields).toMatchObject({ account, reason: expect.stringContaining('refuses connections') })

  const server = await start()
  await world.clock.sleep(61_000)
  expect(await outcome()).toBe('fresh')
  const contents = await server.contents()
  expect(Object.keys(contents)).toEqual(KEYS)
  expect(contents[TOKEN_KEY]).toBe(await world.stored(account, 'access_token'))
  expect(JSON.parse(contents['loginbroker_token_info'] ?? '')).toMatchObject({ generation: 3 })
  expect(failures()).toBe(3)
  for (const secret of [PASSWORD, contents[TOKEN_KEY] ?? PASSWORD]) expect(world.said()).not.toContain(secret)
})

test('a Redis that is down is asked about fresh tokens once a minute, however many accounts there are', async () => {
  await world.logIn(account)
  await world.clock.sleep(61_000)
  const before = failures()
  await outcome()
  await outcome()
  expect(failures()).toBe(before + 1)
})

test('a paused account has no keys from the next run on, and has them again when it is resumed', async () => {
  const server = await start()
  await world.logIn(account)
  expect(Object.keys(await server.contents())).toEqual(KEYS)
  await pause({ since: world.clock.now() })
  expect(await outcome()).toBe('paused')
  expect(await server.contents()).toEqual({})
  await pause(undefined)
  expect(await outcome()).toBe('fresh')
  expect(Object.keys(await server.contents())).toEqual(KEYS)
})

test('a removed account has no keys', async () => {
  const server = await start()
  await world.logIn(account)
  await removeAccount({ broker: world.broker, account }, world.ports)
  expect(await server.contents()).toEqual({})
})

async function pause(paused: { since: ReturnType<typeof world.clock.now> } | undefined): Promise<void> {
  await world.change(account, { paused })
}
