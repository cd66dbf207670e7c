import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { ALL_BROKERS } from '../../lib/brokers/index.ts'
import { redisMirror, storedRedisPassword } from '../../lib/mirrors/redis/mirror.ts'
import { SubscriberError, TokenVaultError } from '../../lib/model/errors.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import type { Subscriber } from '../../lib/ports/subscriber.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { endsWithin } from '../support/ends-within.ts'
import { freePort } from '../support/free-port.ts'
import { thrownBy } from '../support/thrown.ts'
import { ISSUED, publication } from './support/publication.ts'

const PASSWORD = 'SIMULATED-redis-password'
const ACC1 = publication('upstox/ACC1')
/** A run waits three seconds for its mirrors. */
const LIMIT_MS = 3_500

// A publication loads the library first; that is no part of what it waits for.
beforeAll(() => import('@redis/client'))

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A server that is no Redis; gives its port. */
async function impostor(answer: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    answer(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function mirrorAt(port: number, scheme = 'redis', password = PASSWORD): Subscriber {
  return redisMirror({
    url: `${scheme}://127.0.0.1:${port}`,
    password: async () => (password === '' ? undefined : new Secret(password)),
    defaultAccounts: [],
    brokers: ALL_BROKERS,
    clock: new VirtualClock(ISSUED),
  })
}

async function failure(work: Promise<void> | undefined): Promise<SubscriberError> {
  const error = await thrownBy(work, SubscriberError)
  const everything = [JSON.stringify(error), error.message, error.fix, error.stack].join()
  for (const secret of [PASSWORD, ACC1.accessToken.reveal()]) expect(everything).not.toContain(secret)
  return error
}

const silent = (): void => undefined
const webServer = (socket: Socket): void => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
const hangsUp = (socket: Socket): void => void socket.destroy()
const babbles = (socket: Socket): void => {
  const timer = setInterval(() => socket.write('+OK\r\n'), 50)
  socket.on('close', () => clearInterval(timer))
}

test.each([
  ['never answers', silent, 'redis', 'did not answer in time'],
  ['never answers to TLS', silent, 'rediss', 'did not answer in time'],
  ['is a web server', webServer, 'redis', 'ended the connection, or is no Redis'],
  ['is a web server without TLS', webServer, 'rediss', 'ended the connection, or is no Redis'],
  ['hangs up', hangsUp, 'redis', 'ended the connection, or is no Redis'],
  ['says OK to everything and without end', babbles, 'redis', 'ended the connection, or is no Redis'],
])('what %s fails a publication within the time limit', async (_, answer, scheme, says) => {
  const port = await impostor(answer)
  const mirror = mirrorAt(port, scheme)
  const error = await endsWithin(LIMIT_MS, () => failure(mirror.onPublished(ACC1)))
  expect(error.message).toContain(`Redis at 127.0.0.1:${port} ${says}`)
  expect(error.fix).not.toBe('')
})

test('what never answers is waited for within the time limit also where no password is sent', async () => {
  const port = await impostor(silent)
  const mirror = mirrorAt(port, 'redis', '')
  await endsWithin(LIMIT_MS, () => failure(mirror.onWithdrawn(ACC1.account)))
})

test('a port nobody listens on fails at once, and says what to do', async () => {
  const mirror = mirrorAt(await freePort())
  const error = await endsWithin(1_000, () => failure(mirror.onPublished(ACC1)))
  expect(error.message).toContain('refuses connections')
  expect(error.fix).toContain('mirrors.redis.url')
})

test('a host without an address is named', async () => {
  const mirror = redisMirror({
    url: 'rediss://cache.example.invalid',
    password: async () => undefined,
    defaultAccounts: [],
    brokers: ALL_BROKERS,
    clock: new VirtualClock(ISSUED),
  })
  expect((await failure(mirror.onPublished(ACC1))).message).toMatch(
    /cache\.example\.invalid:6379 (.* DNS|did not answer in time)/,
  )
})

test('a password the vault does not give up is a failure of the mirror, with the vault’s own advice', async () => {
  const mirror = redisMirror({
    url: 'redis://127.0.0.1',
    password: () => Promise.reject(new TokenVaultError('SSM is throttled', { during: 'read', fix: 'wait' })),
    defaultAccounts: [],
    brokers: ALL_BROKERS,
    clock: new VirtualClock(ISSUED),
  })
  const error = await failure(mirror.onPublished(ACC1))
  expect(error.message).toContain('SSM is throttled')
  expect(error.fix).toBe('wait')
})

test('nothing is connected to before the first publication', async () => {
  let connections = 0
  const port = await impostor((socket) => {
    connections += 1
    hangsUp(socket)
  })
  const mirror = mirrorAt(port)
  // One that was made before would have come before this one.
  await failure(mirror.onPublished(ACC1))
  expect(connections).toBe(1)
})

test('after a failure fresh tokens are not asked about for a minute, and publications are tried all the same', async () => {
  const clock = new VirtualClock(ISSUED)
  const mirror = redisMirror({
    url: `redis://127.0.0.1:${await freePort()}`,
    password: async () => undefined,
    defaultAccounts: [],
    brokers: ALL_BROKERS,
    clock,
  })
  await failure(mirror.onStillCurrent?.(ACC1))
  await mirror.onStillCurrent?.(ACC1)
  await failure(mirror.onPublished(ACC1))
  clock.advance({ seconds: 61 })
  await failure(mirror.onStillCurrent?.(ACC1))
})

test('a Redis that was away is looked for again once a clock that was ahead is set right', async () => {
  const clock = new VirtualClock('2027-11-23T07:00:00+05:30')
  const mirror = redisMirror({
    url: `redis://127.0.0.1:${await freePort()}`,
    password: async () => undefined,
    defaultAccounts: [],
    brokers: ALL_BROKERS,
    clock,
  })
  await expect(mirror.onStillCurrent?.(ACC1)).rejects.toThrow()
  await expect(mirror.onStillCurrent?.(ACC1)).resolves.toBeUndefined()
  clock.set('2026-11-23T07:00:00+05:30')
  await expect(mirror.onStillCurrent?.(ACC1)).rejects.toThrow()
})

test('the stored password is read once in five minutes, and anew once a clock that was ahead is set right', async () => {
  const clock = new VirtualClock('2027-11-23T07:00:00+05:30')
  let reads = 0
  const read = async () => {
    reads += 1
    return new Map()
  }
  const password = storedRedisPassword({ read }, clock)
  const readsAfter = async (change: () => void): Promise<number> => {
    change()
    await password()
    return reads
  }
  expect(await readsAfter(() => undefined)).toBe(1)
  expect(await readsAfter(() => clock.advance({ seconds: 299 }))).toBe(1)
  expect(await readsAfter(() => clock.advance({ seconds: 1 }))).toBe(2)
  expect(await readsAfter(() => clock.set('2026-11-23T07:00:00+05:30'))).toBe(3)
  expect(await readsAfter(() => undefined)).toBe(3)
})
