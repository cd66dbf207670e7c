import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { undiciHttp } from '../../lib/http/undici-http.ts'
import { HttpError, type HttpRequest } from '../../lib/ports/http.ts'
import type { SimulatorEnv } from '../../lib/simulators/kit/simulator.ts'
import { type SimulatorServer, startSimulator } from '../../lib/simulators/kit/simulator-server.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { thrownBy } from '../support/thrown.ts'

const http = undiciHttp()
const TEXT = JSON.stringify({ access_token: 'naïve ✓' })
/** Twenty megabytes in twenty kilobytes. */
const BOMB = Uint8Array.from(gzipSync(Buffer.alloc(20_000_000)))
/** Bodies by their content encoding, and what is said of them in front of it. */
const PACKED: Readonly<Record<string, () => Uint8Array<ArrayBuffer>>> = {
  gzip: () => Uint8Array.from(gzipSync(TEXT)),
  'x-gzip': () => Uint8Array.from(gzipSync(TEXT)),
  GZIP: () => Uint8Array.from(gzipSync(TEXT)),
  deflate: () => Uint8Array.from(deflateSync(TEXT)),
  br: () => Uint8Array.from(brotliCompressSync(TEXT)),
  'br, gzip': () => Uint8Array.from(gzipSync(brotliCompressSync(TEXT))),
  identity: () => new TextEncoder().encode(TEXT),
  'sdch-of-old': () => new TextEncoder().encode(TEXT),
  'empty gzip': () => new Uint8Array(),
  'empty br': () => new Uint8Array(),
  'bomb gzip': () => BOMB,
  'bomb gzip, gzip': () => Uint8Array.from(gzipSync(BOMB)),
  'broken gzip': () => new TextEncoder().encode(TEXT),
}
let server: SimulatorServer

beforeEach(async () => {
  const app = new Hono<SimulatorEnv>()
  app.all('/echo', async (context) =>
    context.json({ body: await context.req.text(), agent: context.req.header('user-agent') }),
  )
  app.get('/big', (context) => context.body('x'.repeat(3_000_000)))
  app.get('/packed', (context) => {
    const { how = '', status = '200' } = context.req.query()
    const bytes = PACKED[how]?.() ?? new Uint8Array()
    const headers = { 'content-encoding': how.replace(/^\w+ /, '') }
    return new Response(bytes, { status: Number(status), headers })
  })
  server = await startSimulator(
    { id: 'echo', hosts: [], app },
    { clock: new VirtualClock('2026-11-23T07:00:00+05:30') },
  )
})

afterEach(() => server.close())

async function failure(request: Partial<HttpRequest> & { url: string }): Promise<HttpError> {
  return thrownBy(http.send({ method: 'POST', timeoutMs: 2_000, ...request }), HttpError)
}

describe('undiciHttp', () => {
  test('sends body and headers and gives status, lower-case headers and text', async () => {
    const reply = await http.send({
      method: 'POST',
      url: `${server.origin}/echo`,
      headers: { 'User-Agent': 'tokenkeeper/test' },
      body: 'naïve ✓',
      timeoutMs: 2_000,
    })
    expect(reply.status).toBe(200)
    expect(reply.headers['date']).toBe('Mon, 23 Nov 2026 01:30:00 GMT')
    expect(JSON.parse(reply.body)).toEqual({ body: 'naïve ✓', agent: 'tokenkeeper/test' })
  })

  test('never follows a redirect', async () => {
    server.failNext('/echo', {
      kind: 'reply',
      status: 307,
      body: '',
      headers: { location: `${server.origin}/echo` },
    })
    const reply = await http.send({ method: 'POST', url: `${server.origin}/echo`, timeoutMs: 2_000 })
    expect(reply.status).toBe(307)
    expect(server.seen).toHaveLength(1)
  })

  test('a refused connection was not sent', async () => {
    expect(await failure({ url: 'http://127.0.0.1:9/' })).toMatchObject({
      sent: false,
      reason: 'ECONNREFUSED',
    })
  })

  test('an unknown host was not sent', async () => {
    expect(await failure({ url: 'http://no-such-host.invalid/' })).toMatchObject({ sent: false })
  })

  test.each(['http://169.254.169.254/latest/meta-data/', 'http://[fe80::1]/', 'http://[fd00:ec2::254]/'])(
    'never connects to %s',
    async (url) => expect(await failure({ url })).toMatchObject({ sent: false, reason: 'ERR_IP_BLOCKED' }),
  )

  test('a header with a line break in it was not sent', async () => {
    const headers = { authorization: 'Bearer sim-key\n' }
    expect(await failure({ url: `${server.origin}/echo`, headers })).toMatchObject({ sent: false })
    expect(server.seen).toHaveLength(0)
  })

  test('a host that does not speak TLS was not sent anything', async () => {
    const url = server.origin.replace('http:', 'https:')
    expect(await failure({ url })).toMatchObject({ sent: false, reason: 'ERR_SSL_WRONG_VERSION_NUMBER' })
  })

  test.each([
    ['a reset', { kind: 'reset' } as const],
    ['a lost reply', { kind: 'lost_reply' } as const],
  ])('%s may have been seen by the broker, and is not sent again', async (_, fault) => {
    server.failNext('/echo', fault)
    expect(await failure({ url: `${server.origin}/echo`, body: 'x' })).toMatchObject({ sent: true })
    expect(server.seen).toHaveLength(1)
  })

  test('a hang ends at the time limit', async () => {
    const url = `${server.origin}/echo`
    // The connection stands, so that the time limit has nothing to end but the hang.
    await http.send({ method: 'POST', url, timeoutMs: 2_000 })
    server.failNext('/echo', { kind: 'hang' })
    expect(await failure({ url, timeoutMs: 250 })).toMatchObject({
      sent: true,
      reason: 'TIMEOUT',
    })
  })

  test('a reply of megabytes is not read into memory', async () => {
    expect(await failure({ method: 'GET', url: `${server.origin}/big` })).toMatchObject({ sent: true })
  })

  test.each(['gzip', 'x-gzip', 'GZIP', 'deflate', 'br', 'br, gzip', 'identity', 'sdch-of-old'])(
    'a reply that is packed as %s is read, whatever its status',
    async (how) => {
      for (const status of [200, 400]) {
        const url = `${server.origin}/packed?how=${encodeURIComponent(how)}&status=${status}`
        expect(await http.send({ method: 'GET', url, timeoutMs: 2_000 })).toMatchObject({
          status,
          body: TEXT,
        })
      }
    },
  )

  test.each(['empty gzip', 'empty br'])('an %s reply is empty', async (how) => {
    const url = `${server.origin}/packed?how=${how}&status=401`
    expect(await http.send({ method: 'GET', url, timeoutMs: 2_000 })).toMatchObject({ status: 401, body: '' })
  })

  test.each(['bomb gzip', 'bomb gzip, gzip'])('a %s is not unpacked into memory', async (how) => {
    const url = `${server.origin}/packed?how=${encodeURIComponent(how)}`
    expect(await failure({ method: 'GET', url })).toMatchObject({
      sent: true,
      reason: 'UND_ERR_RES_EXCEEDED_MAX_SIZE',
    })
  })

  test('a reply that is packed badly is none, and may have been sent', async () => {
    expect(await failure({ method: 'GET', url: `${server.origin}/packed?how=broken gzip` })).toMatchObject({
      sent: true,
      reason: 'Z_DATA_ERROR',
    })
  })

  test('the error names neither URL nor header', async () => {
    const error = await failure({
      url: 'http://127.0.0.1:9/?code=SECRET-CODE',
      headers: { authorization: 'Bearer SECRET-T' },
    })
    const dump =
      JSON.stringify(error) + String(error) + (await import('node:util')).inspect(error, { depth: 9 })
    expect(dump).not.toContain('SECRET')
  })
})
