import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ALL_BROKERS } from '../../lib/brokers/index.ts'
import { redisMirror } from '../../lib/mirrors/redis/mirror.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { SubscriberError } from '../../lib/model/errors.ts'
import type { Subscriber } from '../../lib/ports/subscriber.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { systemClock } from '../../lib/system-clock.ts'
import { EXPIRES, ISSUED, publication, tokenOf } from '../mirrors/support/publication.ts'
import { RedisServer } from './support/redis-server.ts'

let redis: RedisServer
let clock: VirtualClock
beforeAll(async () => {
  redis = await RedisServer.start()
})
afterAll(() => redis?.stop())
beforeEach(async () => {
  await redis.command('FLUSHALL')
  clock = new VirtualClock(ISSUED)
})

function mirror(...defaultAccounts: string[]): Subscriber {
  return redisMirror({
    url: redis.url(),
    password: async () => undefined,
    defaultAccounts,
    brokers: ALL_BROKERS,
    clock,
  })
}

const ACC1 = publication('upstox/ACC1')
const TOKEN = tokenOf('upstox/ACC1').reveal()

describe('the keys', () => {
  test('R2.8 of an Upstox account hold the bare token and what is known of it', async () => {
    await mirror().onPublished(ACC1)
    const contents = await redis.contents()
    expect(Object.keys(contents)).toEqual(['token_info:ACC1', 'upstox_access_token:ACC1'])
    expect(contents['upstox_access_token:ACC1']).toBe(TOKEN)
    const info = contents['token_info:ACC1'] ?? ''
    expect(JSON.parse(info)).toEqual({
      account_id: 'ACC1',
      account: 'upstox/ACC1',
      broker: 'upstox',
      state: 'live',
      expires_at: EXPIRES,
      issued_at: ISSUED,
      last_validated_at: '2026-09-14T08:00:03+05:30',
      updated_at: ISSUED,
      source: 'upstream',
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      generation: 1,
    })
    expect(info).not.toContain(TOKEN)
  })

  test('R2.8 of the default account are there without its id as well', async () => {
    await mirror('upstox/ACC1').onPublished(ACC1)
    await mirror('upstox/ACC1').onPublished(publication('upstox/ACC2'))
    const contents = await redis.contents()
    expect(Object.keys(contents)).toEqual([
      'token_info',
      'token_info:ACC1',
      'token_info:ACC2',
      'upstox_access_token',
      'upstox_access_token:ACC1',
      'upstox_access_token:ACC2',
    ])
    expect(contents['upstox_access_token']).toBe(TOKEN)
    expect(contents['token_info']).toBe(contents['token_info:ACC1'])
  })

  test('of an account that is its broker alone are there without an id only', async () => {
    await mirror().onPublished(publication('upstox'))
    await mirror().onPublished(publication('pos-connector'))
    expect(Object.keys(await redis.contents())).toEqual([
      'pos_connector_access_token',
      'pos_connector_token_info',
      'token_info',
      'upstox_access_token',
    ])
  })

  test('are in the database the address names', async () => {
    const url = `${redis.url()}/3`
    await redisMirror({
      url,
      password: async () => undefined,
      defaultAccounts: [],
      brokers: ALL_BROKERS,
      clock,
    }).onPublished(ACC1)
    expect(await redis.contents()).toEqual({})
    expect(await redis.command('INFO', 'keyspace')).toContain('db3:keys=2')
  })
})

describe('R2.8 the keys live', () => {
  test.each([
    ['as long as the token', EXPIRES, 70_200],
    ['24 hours where the token lives longer', '2026-09-20T03:30:00+05:30', 86_400],
    ['whole seconds, rounded down', '2026-09-14T08:00:09.900+05:30', 9],
  ])('%s', async (_, expiresAt, seconds) => {
    await mirror('upstox/ACC1').onPublished(publication('upstox/ACC1', 1, { expiresAt }))
    for (const key of Object.keys(await redis.contents())) {
      expect(await redis.secondsToLive(key)).toBeLessThanOrEqual(seconds)
      expect(await redis.secondsToLive(key)).toBeGreaterThanOrEqual(seconds - 1)
    }
  })

  test('not at all for a token whose life is over, and an older one is taken away', async () => {
    await mirror().onPublished(ACC1)
    clock.set(EXPIRES)
    await mirror().onPublished(publication('upstox/ACC1', 2))
    expect(await redis.contents()).toEqual({})
  })

  test('no longer than the token in real time', async () => {
    const expiresAt = systemClock.now().add({ milliseconds: 2_500 })
    const options = {
      url: redis.url(),
      password: async () => undefined,
      defaultAccounts: [],
      brokers: ALL_BROKERS,
    }
    await redisMirror({ ...options, clock: systemClock }).onPublished({ ...ACC1, expiresAt })
    expect(Object.keys(await redis.contents())).toHaveLength(2)
    await systemClock.sleep(systemClock.now().until(expiresAt).total('milliseconds'))
    expect(await redis.contents()).toEqual({})
  })
})

describe('of two generations', () => {
  test('the newer one replaces the older, token and metadata together', async () => {
    await mirror().onPublished(ACC1)
    await mirror().onPublished(publication('upstox/ACC1', 2))
    await expectGeneration(2)
  })

  test('the older one, arriving late, replaces nothing', async () => {
    await mirror().onPublished(publication('upstox/ACC1', 2))
    await mirror().onPublished(ACC1)
    await mirror().onStillCurrent?.(ACC1)
    await expectGeneration(2)
  })

  test('the newer one stands however two writers interleave', async () => {
    for (let round = 1; round <= 50; round += 1) {
      const [older, newer] = [2 * round, 2 * round + 1].map((one) => publication('upstox/ACC1', one))
      if (!older || !newer) throw new Error('two were made')
      const writes = [mirror().onPublished(older), mirror().onPublished(newer)]
      await Promise.all(round % 2 === 0 ? writes : writes.reverse())
      await expectGeneration(newer.generation)
    }
  })

  test('the first of an account that was set up anew replaces what its removal could not take away', async () => {
    await mirror().onPublished(publication('upstox/ACC1', 7))
    const anew = publication('upstox/ACC1', 1, { issuedAt: '2026-09-14T09:00:00+05:30' })
    await mirror().onPublished(anew)
    await expectGeneration(1)
  })

  test('what somebody else wrote there is replaced', async () => {
    await redis.command('SET', 'token_info:ACC1', '{"generation":99}')
    await mirror().onPublished(ACC1)
    await expectGeneration(1)
  })

  async function expectGeneration(generation: number): Promise<void> {
    const contents = await redis.contents()
    expect(contents['upstox_access_token:ACC1']).toBe(tokenOf('upstox/ACC1', generation).reveal())
    expect(JSON.parse(contents['token_info:ACC1'] ?? '')).toMatchObject({ generation })
  }
})

describe('a token that a run found fresh', () => {
  test.each([
    ['everything', ['FLUSHALL']],
    ['its token', ['DEL', 'upstox_access_token:ACC1']],
    ['its metadata', ['DEL', 'token_info:ACC1']],
    ['a short key', ['DEL', 'upstox_access_token']],
  ])('is put back where Redis lost %s', async (_, lose) => {
    const both = mirror('upstox/ACC1')
    await both.onPublished(ACC1)
    const before = await redis.contents()
    await redis.command(...lose)
    await both.onStillCurrent?.(ACC1)
    expect(await redis.contents()).toEqual(before)
  })

  test('is put in place of an older one that stayed when Redis was away', async () => {
    await mirror().onPublished(ACC1)
    await mirror().onStillCurrent?.(publication('upstox/ACC1', 2))
    expect((await redis.contents())['upstox_access_token:ACC1']).toBe(tokenOf('upstox/ACC1', 2).reveal())
  })

  test('is not written again where it is in its place', async () => {
    await mirror().onPublished(ACC1)
    const before = await redis.contents()
    clock.advance({ minutes: 30 })
    await redis.command('CONFIG', 'RESETSTAT')
    await mirror().onStillCurrent?.(ACC1)
    expect(await redis.contents()).toEqual(before)
    expect(await redis.command('INFO', 'commandstats')).not.toMatch(/cmdstat_(set|del|multi):/)
  })

  test('has its keys renewed when it outlives them', async () => {
    const long = publication('upstox/ACC1', 1, { expiresAt: '2026-09-20T03:30:00+05:30' })
    await mirror().onPublished(long)
    await redis.command('EXPIRE', 'token_info:ACC1', '40000')
    await mirror().onStillCurrent?.(long)
    expect(await redis.secondsToLive('token_info:ACC1')).toBeGreaterThan(86_000)
  })
})

describe('a withdrawn account', () => {
  test('loses its keys, and no other account does', async () => {
    const both = mirror('upstox/ACC1')
    await both.onPublished(ACC1)
    await both.onPublished(publication('upstox/ACC2'))
    await both.onWithdrawn(parseAccountId('upstox/ACC1'))
    expect(Object.keys(await redis.contents())).toEqual(['token_info:ACC2', 'upstox_access_token:ACC2'])
  })

  test('leaves the short keys to the account they belong to', async () => {
    await mirror('upstox/ACC1').onPublished(ACC1)
    await mirror('upstox/ACC1').onWithdrawn(parseAccountId('upstox'))
    expect(Object.keys(await redis.contents())).toHaveLength(4)
  })
})

test('no connection is left behind', async () => {
  const connected = async (): Promise<number> =>
    (await redis.command<string>('CLIENT', 'LIST')).trim().split('\n').length
  await mirror().onPublished(ACC1)
  await mirror().onStillCurrent?.(ACC1)
  await mirror().onWithdrawn(ACC1.account)
  // The one that asks.
  await expect.poll(connected).toBe(1)
})

test('a Redis that repeats what it was sent in its errors does not bring the token into ours', async () => {
  const odd = await RedisServer.start({ lines: ['rename-command SET ""'] })
  try {
    await expect(odd.command('SET', 'key', TOKEN)).rejects.toThrow(TOKEN)
    const failing = redisMirror({
      url: odd.url(),
      password: async () => undefined,
      defaultAccounts: [],
      brokers: ALL_BROKERS,
      clock,
    })
    const error = await failing.onPublished(ACC1).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(SubscriberError)
    expect(error).toMatchObject({ message: expect.stringContaining('answers with the error') })
    expect(error).not.toHaveProperty('cause')
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('sim.access')
  } finally {
    await odd.stop()
  }
})
