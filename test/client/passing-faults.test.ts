import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CallError, type TokenkeeperClient } from '../../lib/client/index.ts'
import type { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { thrownBy } from '../support/thrown.ts'
import { ApiWorld, OK } from './support/api-scene.ts'
import { type ApiServer, type Received, type Scripted, startApi } from './support/api-server.ts'

let api: ApiWorld
let clock: VirtualClock
let server: ApiServer
let client: TokenkeeperClient

beforeEach(async () => {
  api = await ApiWorld.open()
  ;({ clock, server, client } = api)
})
afterEach(() => api.close())

const thrown = (work: Promise<unknown>) => thrownBy(work, Error)

describe('a passing fault', () => {
  const failing =
    (times: number, fault: Scripted) =>
    (_call: Received, index: number): Scripted =>
      index < times ? fault : OK

  test.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])(
    'of %s is answered with a repeat',
    async (method) => {
      api.answer = failing(2, { status: 503 })
      const before = clock.now()
      expect((await client.fetch('/x', { method })).status).toBe(200)
      expect(server.received).toHaveLength(3)
      expect(before.until(clock.now()).total('seconds')).toBe(3)
    },
  )

  test.each([502, 503, 504])('HTTP %d that goes on is handed out after three repeats', async (status) => {
    api.answer = () => ({ status, body: 'down' })
    const reply = await client.fetch('/x')
    expect(reply.status).toBe(status)
    expect(await reply.text()).toBe('down')
    expect(server.received).toHaveLength(4)
  })

  test('of the network is answered with a repeat, and told when it goes on', async () => {
    api.answer = failing(2, 'reset')
    expect((await client.fetch('/x')).status).toBe(200)
    api.answer = () => 'reset'
    const error = await thrown(client.fetch('/x?secret=1'))
    expect(error).toBeInstanceOf(CallError)
    expect(error).toMatchObject({ code: 'network', sent: true })
    expect((error as Error).message).not.toContain('secret')
  })

  test.each(['reset', { status: 503 }, { status: 429, headers: { 'retry-after': '1' } }] as const)(
    'never repeats an order: %o',
    async (fault) => {
      api.answer = () => fault
      // How each of them ends is told by other tests.
      await Promise.allSettled([client.fetch('/v2/order/place', { method: 'POST', json: { quantity: 1 } })])
      await Promise.allSettled([client.fetch('/v2/order/modify', { method: 'PATCH', json: { quantity: 1 } })])
      expect(server.received).toHaveLength(2)
    },
  )

  test('repeats an order where the caller says that it may', async () => {
    api.answer = failing(2, 'reset')
    const reply = await client.fetch('/x', { method: 'POST', json: {}, retryUnsafe: true })
    expect(reply.status).toBe(200)
    expect(server.received).toHaveLength(3)
  })

  test('does not repeat a stream, which is spent', async () => {
    api.answer = () => ({ status: 503 })
    expect((await client.fetch('/x', { method: 'PUT', body: Readable.from(['once']) })).status).toBe(503)
    expect(server.received).toHaveLength(1)
  })

  test('is repeated as often as the caller says', async () => {
    api.answer = () => ({ status: 503 })
    await client.fetch('/x', { retries: 0 })
    expect(server.received).toHaveLength(1)
    await client.fetch('/x', { retries: 1 })
    expect(server.received).toHaveLength(3)
  })

  test('waits as long as a throttled broker asks for', async () => {
    api.answer = failing(1, { status: 429, headers: { 'retry-after': '7' } })
    const before = clock.now()
    expect((await client.fetch('/x')).status).toBe(200)
    expect(before.until(clock.now()).total('seconds')).toBe(7)
  })

  test.each([{ 'retry-after': '120' }, {}])(
    'is handed out when throttled with %o: nobody waits so long',
    async (headers) => {
      api.answer = () => ({ status: 429, headers: headers as Record<string, string> })
      expect((await client.fetch('/x')).status).toBe(429)
      expect(server.received).toHaveLength(1)
    },
  )

  test.each([400, 403, 404, 409, 422, 500])('is not what HTTP %d is', async (status) => {
    api.answer = () => ({ status })
    expect((await client.fetch('/x')).status).toBe(status)
    expect(server.received).toHaveLength(1)
  })

  test('before anything was sent says so', async () => {
    await server.close()
    expect(await thrown(client.fetch('/x', { method: 'POST', json: {} }))).toMatchObject({
      code: 'network',
      sent: false,
      message: expect.stringContaining('could not connect (ECONNREFUSED)'),
    })
    server = await startApi(() => OK)
  })

  test('leaves no connection behind when many replies are thrown away', async () => {
    api.answer = failing(200, { status: 503, body: 'x'.repeat(10_000) })
    await Promise.all(Array.from({ length: 100 }, () => client.fetch('/x', { retries: 3 })))
    expect((await client.fetch('/x')).status).toBe(200)
  })
})
