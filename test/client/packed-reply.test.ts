import { text as textOf } from 'node:stream/consumers'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createClient, type TokenkeeperClient } from '../../lib/client/index.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { type ApiServer, type Scripted, startApi } from './support/api-server.ts'
import { KeptSource } from './support/kept-source.ts'

const BODY = { holdings: ['naïve ✓'] }

let server: ApiServer
let answer: (index: number) => Scripted
let source: KeptSource
let client: TokenkeeperClient
beforeEach(async () => {
  server = await startApi((_, index) => answer(index))
  answer = () => packed('gzip', BODY)
  source = new KeptSource('fyers')
  source.hosts = { FYERS_API: server.origin }
  source.publish()
  source.next = () => source.token()
  client = createClient({ source, clock: new VirtualClock('2026-11-23T08:00:00+05:30') })
})
afterEach(async () => {
  await client.close()
  await server.close()
})

function packed(encoding: 'gzip' | 'br', body: unknown, status = 200): Scripted {
  const bytes = Buffer.from(JSON.stringify(body))
  const packs = { gzip: gzipSync, br: brotliCompressSync }
  const headers = { 'content-type': 'application/json', 'content-encoding': encoding }
  return { status, headers, body: packs[encoding](bytes) }
}

describe('a reply that the broker has packed', () => {
  test.each(['gzip', 'br'] as const)('as %s is read like any other, in every way', async (encoding) => {
    answer = () => packed(encoding, BODY)
    const fetched = () => client.fetch('/x')
    expect(await (await fetched()).json()).toEqual(BODY)
    expect(await (await fetched()).text()).toBe(JSON.stringify(BODY))
    expect(await (await (await fetched()).blob()).text()).toBe(JSON.stringify(BODY))
    expect(await textOf((await fetched()).stream())).toBe(JSON.stringify(BODY))
    expect(await (await fetched()).clone().json()).toEqual(BODY)
  })

  test('is read when its body was looked at, too', async () => {
    answer = () => packed('gzip', { s: 'error', code: -50 }, 400)
    const reply = await client.fetch('/x')
    expect(reply.status).toBe(400)
    expect(await reply.json()).toEqual({ s: 'error', code: -50 })
  })

  test('and that refuses the token is taken for that', async () => {
    answer = (index) => (index === 0 ? packed('gzip', { s: 'error', code: -16 }) : packed('gzip', BODY))
    expect(await (await client.fetch('/x')).json()).toEqual(BODY)
    expect(source.asked.report).toBe(1)
  })

  test('badly is a fault of the network', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    answer = () => ({ status: 400, headers, body: 'not packed at all' })
    await expect(client.fetch('/x', { retries: 0 })).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('Z_DATA_ERROR'),
    })
  })
})
