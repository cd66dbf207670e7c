import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createClient, type TokenkeeperClient } from '../../lib/client/index.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { type ApiServer, type Scripted, startApi } from './support/api-server.ts'
import { KeptSource } from './support/kept-source.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
let scripted: Scripted
let server: ApiServer

beforeEach(async () => {
  scripted = { status: 200, headers: JSON_TYPE, body: '{"a":[1]}' }
  server = await startApi(() => scripted)
})
afterEach(() => server.close())

/** FYERS' short replies are looked at before they are handed out, Upstox' are not. */
describe.each([
  ['as it came', 'upstox', 'UPSTOX_API'],
  ['that was looked at', 'fyers', 'FYERS_API'],
])('a reply %s', (_how, account, host) => {
  let client: TokenkeeperClient
  const get = () => client.fetch('/x')

  beforeEach(() => {
    const source = new KeptSource(account)
    source.hosts = { [host]: server.origin }
    source.publish()
    client = createClient({ source, clock: new VirtualClock('2026-11-23T08:00:00+05:30') })
  })
  afterEach(() => client.close())

  test('is read like a Response of the Fetch standard', async () => {
    const reply = await get()
    expect(reply).toMatchObject({ status: 200, statusText: 'OK', ok: true, url: `${server.origin}/x` })
    expect(reply.headers.get('Content-Type')).toBe('application/json')
    expect(reply.bodyUsed).toBe(false)
    expect(await reply.json()).toEqual({ a: [1] })
    expect(reply.bodyUsed).toBe(true)
    expect(await (await get()).text()).toBe('{"a":[1]}')
    expect(Buffer.from(await (await get()).arrayBuffer()).toString()).toBe('{"a":[1]}')
    expect(Buffer.from(await (await get()).bytes()).toString()).toBe('{"a":[1]}')
    const blob = await (await get()).blob()
    expect([blob.type, await blob.text()]).toEqual(['application/json', '{"a":[1]}'])
  })

  test('gives its body as a stream of the web and of Node', async () => {
    const chunks: Uint8Array[] = []
    for await (const chunk of (await get()).body as ReadableStream<Uint8Array>) chunks.push(chunk)
    expect(Buffer.concat(chunks).toString()).toBe('{"a":[1]}')
    expect(Buffer.concat(await (await get()).stream().toArray()).toString()).toBe('{"a":[1]}')
  })

  test('can be cloned, and both be read', async () => {
    const reply = await get()
    const copy = reply.clone()
    expect(await copy.json()).toEqual({ a: [1] })
    expect(await reply.json()).toEqual({ a: [1] })
    expect(reply.bodyUsed).toBe(true)
  })

  test('is read once', async () => {
    const reply = await get()
    await reply.text()
    await expect(reply.text()).rejects.toThrow(TypeError)
    await expect(reply.blob()).rejects.toThrow(TypeError)
    expect(() => reply.clone()).toThrow(TypeError)
    expect(() => reply.stream()).toThrow(TypeError)
  })

  test('of a posted form is read as form data', async () => {
    scripted = { status: 200, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=1' }
    expect((await (await get()).formData()).get('a')).toBe('1')
  })

  test('without a body has none', async () => {
    scripted = { status: 204 }
    const reply = await get()
    expect(reply.body).toBeNull()
    expect(await (await get()).text()).toBe('')
  })

  test('keeps each of several cookies', async () => {
    scripted = { status: 200, headers: { 'set-cookie': ['a=1', 'b=2'] as unknown as string } }
    expect((await get()).headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  })

  test('that its reader leaves early lets go of the connection', async () => {
    scripted = { status: 200, headers: JSON_TYPE, body: 'x'.repeat(200_000), endless: true }
    const reply = await get()
    for await (const chunk of reply.stream()) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    await expect.poll(() => server.left()).toBe(1)
  })

  test('of a megabyte arrives whole', async () => {
    const large = JSON.stringify({ large: 'x'.repeat(2 ** 20) })
    scripted = { status: 200, headers: { ...JSON_TYPE, 'transfer-encoding': 'chunked' }, body: large }
    expect(await (await get()).text()).toBe(large)
    expect((await (await get()).arrayBuffer()).byteLength).toBe(large.length)
    scripted = { status: 400, headers: JSON_TYPE, body: large }
    expect(await (await get()).text()).toBe(large)
  })
})
