import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { brokerNamed } from '../../lib/brokers/index.ts'
import { AllowedUrls } from '../../lib/client/calls/allowed-urls.ts'
import {
  type CallBody,
  CallError,
  createClient,
  type TokenkeeperClient,
  TokenUnavailableError,
} from '../../lib/client/index.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { thrownBy } from '../support/thrown.ts'
import { type ApiServer, type Received, type Scripted, startApi } from './support/api-server.ts'
import { KeptSource } from './support/kept-source.ts'

const OK: Scripted = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":true}' }
const DEAD: Scripted = { status: 401, body: '{"errors":[{"errorCode":"UDAPI100050"}]}' }

let clock: VirtualClock
let source: KeptSource
let server: ApiServer
let answer: (call: Received, index: number) => Scripted
let client: TokenkeeperClient

beforeEach(async () => {
  clock = new VirtualClock('2026-11-23T08:00:00+05:30')
  answer = () => OK
  server = await startApi((call, index) => answer(call, index))
  source = new KeptSource('upstox/ACC1')
  source.hosts = { UPSTOX_API: server.origin }
  source.publish('2026-11-24T03:30:00+05:30')
  source.next = () => source.token('2026-11-24T03:30:00+05:30')
  client = createClient({ source, clock, random: () => 0.5 })
})
afterEach(async () => {
  await client.close()
  await server.close()
})

/** The broker takes the published token and refuses every other one. */
function takesPublished(): void {
  answer = ({ headers }) => (headers.authorization === source.published?.authorization?.reveal() ? OK : DEAD)
}

/** Everything published so far dies; the keeper has yet to notice. */
function killToken(): void {
  const dead = source.published?.authorization?.reveal()
  const before = answer
  answer = (call, index) => (call.headers.authorization === dead ? DEAD : before(call, index))
}

const thrown = (work: Promise<unknown>) => thrownBy(work, Error)

describe('a call', () => {
  test('carries the token in the broker’s own form, our name, and what the caller says', async () => {
    const reply = await client.fetch('/v2/user/profile?x=1', { headers: { 'X-Mine': 'yes' } })
    expect(reply.status).toBe(200)
    expect(await reply.json()).toEqual({ ok: true })
    expect(server.received).toMatchObject([
      {
        method: 'GET',
        path: '/v2/user/profile?x=1',
        headers: {
          authorization: 'Bearer CANARY-access-token-1',
          'user-agent': expect.stringMatching(/^tokenkeeper\//),
          'x-mine': 'yes',
          accept: '*/*',
        },
      },
    ])
  })

  test('never carries an Authorization header of the caller', async () => {
    for (const headers of [
      { Authorization: 'Bearer mine' },
      new Headers({ authorization: 'Bearer mine' }),
      [['AUTHORIZATION', 'Bearer mine']] as const,
    ]) {
      await client.fetch('/x', { headers })
    }
    expect(new Set(server.received.map(({ headers }) => headers.authorization))).toEqual(
      new Set(['Bearer CANARY-access-token-1']),
    )
  })

  test('with a method and a body of every kind arrives as it was meant', async () => {
    const form = new FormData()
    form.append('name', 'value')
    form.append('file', new Blob(['content'], { type: 'text/csv' }), 'file.csv')
    const send = async (init: Parameters<TokenkeeperClient['fetch']>[1]): Promise<Received> => {
      await client.fetch('/x', { method: 'post', ...init })
      return server.received.at(-1) as Received
    }
    expect(await send({ json: { a: 1 } })).toMatchObject({
      method: 'POST',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    })
    expect(await send({ body: 'text' })).toMatchObject({ body: 'text' })
    expect(await send({ body: new TextEncoder().encode('bytes') })).toMatchObject({ body: 'bytes' })
    expect(await send({ body: new TextEncoder().encode('buffer').buffer })).toMatchObject({ body: 'buffer' })
    expect(await send({ body: new URLSearchParams({ a: '1 2' }) })).toMatchObject({
      body: 'a=1+2',
      headers: { 'content-type': expect.stringContaining('application/x-www-form-urlencoded') },
    })
    expect(await send({ body: new Blob(['blob'], { type: 'text/csv' }) })).toMatchObject({
      body: 'blob',
      headers: { 'content-type': 'text/csv' },
    })
    expect(await send({ body: form })).toMatchObject({
      body: expect.stringMatching(/name="name".+value.+filename="file.csv".+text\/csv.+content/s),
      headers: { 'content-type': expect.stringContaining('multipart/form-data; boundary=') },
    })
    expect(await send({ body: Readable.from(['str', 'eam']) })).toMatchObject({ body: 'stream' })
    expect(await send({ body: new Blob(['web']).stream() })).toMatchObject({ body: 'web' })
    expect(await send({ body: () => Readable.from(['made']) })).toMatchObject({ body: 'made' })
    expect(await send({ body: null })).toMatchObject({ body: '' })
  })

  test.each([
    ['both a body and json', { method: 'POST', body: 'a', json: 1 }],
    ['a number of retries that is none', { retries: -1 }],
    ['a header with a line break', { headers: { 'x-mine': 'a\r\nb: c' } }],
    ['a body that cannot be sent', { method: 'POST', body: (() => 7) as unknown as () => CallBody }],
  ])('with %s is the caller’s mistake, and is not sent', async (_what, init) => {
    expect(await thrown(client.fetch('/x', init))).toMatchObject({ code: 'invalid_call', actor: 'developer' })
    expect(server.received).toEqual([])
  })

  test('whose header needs an app id nobody knows is not sent', async () => {
    const fyers = new KeptSource('fyers')
    fyers.hosts = { FYERS_API: server.origin }
    fyers.clientId = undefined
    fyers.publish()
    const caller = createClient({ source: fyers, clock })
    expect(await thrown(caller.fetch('/api/v3/profile'))).toMatchObject({
      code: 'client_id_missing',
      actor: 'operator',
    })
    expect(server.received).toEqual([])
    await caller.close()
  })

  test('ends when its caller gives up, with the caller’s reason', async () => {
    answer = () => ({ status: 503 })
    const pause = Promise.withResolvers<void>()
    const sleep = (): Promise<void> => {
      pause.resolve()
      return new Promise(() => undefined)
    }
    const slow = createClient({ source, clock: { now: () => clock.now(), sleep }, random: () => 0.5 })
    const controller = new AbortController()
    const call = thrown(slow.fetch('/x', { signal: controller.signal }))
    await pause.promise
    controller.abort(new Error('the caller’s own'))
    expect(await call).toMatchObject({ message: 'the caller’s own' })
    expect(await thrown(slow.fetch('/x', { signal: AbortSignal.abort(new Error('before')) }))).toMatchObject({
      message: 'before',
    })
    expect(server.received.length).toBe(1)
    const impatient = new AbortController()
    answer = () => {
      impatient.abort(new Error('while it waits'))
      return 'hang'
    }
    const waiting = slow.fetch('/x', { method: 'POST', signal: impatient.signal })
    expect(await thrown(waiting)).toMatchObject({ message: 'while it waits' })
    await slow.close()
  })
})

describe('a token goes to its broker and nowhere else', () => {
  test.each([
    'https://example.invalid/v2/user/profile',
    'http://api.upstox.com/v2/user/profile',
    'https://api.upstox.com.example.invalid/',
    'https://api.upstox.com:8443/',
    'https://user:password@api.upstox.com/',
    'https://user@api.upstox.com/',
    'https://token-service.example.invalid/',
    'http://169.254.169.254/latest/meta-data/',
    'file:///etc/passwd',
  ])('not to %s', async (address) => {
    source.hosts = {}
    const real = createClient({ source, clock })
    const error = await thrown(real.fetch(address))
    expect(error).toBeInstanceOf(CallError)
    expect(error).toMatchObject({ code: 'host_not_allowed', actor: 'developer', sent: false })
    await real.close()
  })

  test.each([
    ['upstox', 'https://api.upstox.com/v2/user/profile'],
    ['upstox', 'https://api-hft.upstox.com/v2/order/place'],
    ['fyers', 'https://api-t1.fyers.in/data/quotes'],
    ['iifl', 'https://api.iiflcapital.com/v1/profile'],
    ['zerodha', 'https://api.kite.trade/user/profile'],
    ['iifl-xts', 'https://ttblaze.iifl.com/interactive/user/profile'],
  ])('at %s to %s', (broker, address) => {
    expect(new AllowedUrls({ broker: brokerNamed(broker) }).resolve(address).href).toBe(address)
  })

  test.each([
    ['iifl', 'https://idaas.iiflsecurities.com/'],
    ['iifl', 'https://markets.iiflcapital.com/'],
    ['zerodha', 'https://kite.zerodha.com/'],
    ['pos-connector', 'https://example.invalid/'],
  ])('at %s not to the login at %s', (broker, address) => {
    expect(() => new AllowedUrls({ broker: brokerNamed(broker) }).resolve(address)).toThrow(CallError)
  })

  test.each(['', 'v2/user/profile', 'not a url', '//example.invalid/x'])(
    '"%s" is no address',
    async (address) => {
      expect(await thrown(client.fetch(address))).toMatchObject({ code: 'invalid_call' })
    },
  )

  test('nor to the token service of the same adapter', async () => {
    const service = await startApi(() => OK)
    source.hosts = { ...source.hosts, TOKEN_SERVICE: service.origin }
    const caller = createClient({ source, clock })
    expect(await thrown(caller.fetch(`${service.origin}/accounts/ACC1/token`))).toMatchObject({
      code: 'host_not_allowed',
    })
    await caller.close()
    await service.close()
  })

  test('a base URL that is neither https nor allowed is refused at once', () => {
    const pos = new KeptSource('pos-connector')
    for (const baseUrl of ['http://pos.example.invalid', 'https://169.254.169.254', 'ftp://x', 'nonsense']) {
      expect(() => createClient({ source: pos, baseUrl })).toThrow('baseUrl')
    }
    expect(() =>
      createClient({ source: pos, baseUrl: 'http://pos.lan/prefix/', allowHttpHosts: ['pos.lan'] }),
    ).not.toThrow()
  })

  test('a redirect to another host is handed out and not followed', async () => {
    const other = await startApi(() => OK)
    answer = () => ({ status: 302, headers: { location: `${other.origin}/elsewhere` } })
    const reply = await client.fetch('/x')
    expect(reply.status).toBe(302)
    expect(reply.headers.get('location')).toBe(`${other.origin}/elsewhere`)
    expect(other.received).toEqual([])
    await other.close()
  })

  test('a redirect within the host is followed with the token, unless the caller wants to see it', async () => {
    answer = ({ path }) => (path === '/x' ? { status: 307, headers: { location: '/y' } } : OK)
    const reply = await client.fetch('/x')
    expect(reply).toMatchObject({ status: 200, redirected: true, url: `${server.origin}/y` })
    expect(server.received.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ['/x', 'Bearer CANARY-access-token-1'],
      ['/y', 'Bearer CANARY-access-token-1'],
    ])
    expect((await client.fetch('/x', { redirect: 'manual' })).status).toBe(307)
    expect(await thrown(client.fetch('/x', { redirect: 'error' }))).toMatchObject({ code: 'redirected' })
    expect((await client.fetch('/x', { method: 'POST', body: 'order' })).status).toBe(307)
  })

  test('a redirect that leads in circles ends', async () => {
    answer = () => ({ status: 302, headers: { location: '/x' } })
    expect(await thrown(client.fetch('/x'))).toMatchObject({ code: 'too_many_redirects' })
    expect(server.received).toHaveLength(6)
  })
})

describe('R4.3 a refused token', () => {
  test('is reported, and the call is repeated once with the newer one', async () => {
    takesPublished()
    killToken()
    const reply = await client.fetch('/x', { method: 'POST', json: { order: 1 } })
    expect(reply.status).toBe(200)
    expect(source.reported).toEqual(['CANARY-access-token-1'])
    expect(server.received.map(({ body, headers }) => [body, headers.authorization])).toEqual([
      ['{"order":1}', 'Bearer CANARY-access-token-1'],
      ['{"order":1}', 'Bearer CANARY-access-token-2'],
    ])
  })

  test('tells whoever listens for new tokens, so that sockets reconnect', async () => {
    takesPublished()
    await client.getToken()
    killToken()
    const seen: (number | undefined)[] = []
    client.onNewToken(({ generation }) => void seen.push(generation))
    await Promise.all(Array.from({ length: 20 }, () => client.fetch('/x')))
    expect(seen).toEqual([2])
  })

  test('is not reported a second time for the same call: the second 401 is the caller’s', async () => {
    answer = () => DEAD
    const reply = await client.fetch('/x')
    expect(reply.status).toBe(401)
    expect(await reply.text()).toContain('UDAPI100050')
    expect(server.received).toHaveLength(2)
    expect(source.asked.report).toBe(1)
  })

  test('that the keeper finds alive is not about the token: the 401 is the caller’s, whole, without a repeat', async () => {
    answer = () => DEAD
    source.next = undefined
    const reply = await client.fetch('/v2/order/place', { method: 'POST', json: {} })
    expect(reply.status).toBe(401)
    expect(await reply.json()).toEqual({ errors: [{ errorCode: 'UDAPI100050' }] })
    expect(server.received).toHaveLength(1)
  })

  test('that the keeper finds alive is reported at most four times a minute, however often the broker refuses', async () => {
    answer = () => DEAD
    source.next = undefined
    for (let second = 0; second < 60; second++) {
      expect((await client.fetch('/x')).status).toBe(401)
      clock.advance({ seconds: 1 })
    }
    expect(source.asked.report).toBeLessThanOrEqual(4)
  })

  test('R2.7 by 500 callers at the same moment is one report, and every caller succeeds', async () => {
    takesPublished()
    await client.getToken()
    killToken()
    const all = Promise.withResolvers<void>()
    const refusing = answer
    answer = (call, index) => {
      if (server.received.length === 500) all.resolve()
      return refusing(call, index)
    }
    // The report takes until every one of them was refused.
    source.during = () => all.promise
    const replies = await Promise.all(Array.from({ length: 500 }, () => client.fetch('/x')))
    expect(replies.every(({ status }) => status === 200)).toBe(true)
    expect(source.asked).toEqual({ read: 2, report: 1, renew: 0, force: 0 })
  })

  test('of which a newer one is known already costs no report', async () => {
    takesPublished()
    const slow = client.fetch('/x')
    await client.refreshToken()
    expect((await slow).status).toBe(200)
    expect(source.asked.report).toBe(0)
  })

  test('R2.7 while the keeper is busy is reported again, three times at most and with growing pauses', async () => {
    takesPublished()
    await client.getToken()
    killToken()
    const busy = (): Error =>
      new TokenUnavailableError('busy', {
        account: 'upstox/ACC1' as AccountId,
        code: 'busy',
        fix: 'wait',
        retryAfterSeconds: 1,
      })
    for (let times = 0; times < 3; times++) source.failures.push({ at: 'report', error: busy() })
    const before = clock.now()
    expect((await client.fetch('/x')).status).toBe(200)
    expect(source.asked.report).toBe(4)
    expect(before.until(clock.now()).total('seconds')).toBe(7)
  })

  test('R2.7 that only a person can replace ends cleanly, for all callers, with who must act', async () => {
    takesPublished()
    await client.getToken()
    killToken()
    source.failures.push({
      at: 'report',
      error: new TokenUnavailableError('a person must log in', {
        account: 'upstox/ACC1' as AccountId,
        code: 'awaiting_login',
        fix: 'log in',
      }),
    })
    const errors = await Promise.all(Array.from({ length: 50 }, () => thrown(client.fetch('/x'))))
    expect(new Set(errors.map((error) => (error as TokenUnavailableError).code))).toEqual(
      new Set(['awaiting_login']),
    )
    expect(source.asked.report).toBe(1)
    expect(await thrown(client.fetch('/x'))).toMatchObject({ actor: 'person' })
    expect(source.asked.report).toBe(1)
  })

  test('during a call whose body is a spent stream is renewed, and the caller told to call again', async () => {
    takesPublished()
    await client.getToken()
    killToken()
    const call = client.fetch('/x', { method: 'POST', body: Readable.from(['once']) })
    expect(await thrown(call)).toMatchObject({ code: 'body_not_replayable', actor: 'developer' })
    expect(source.asked.report).toBe(1)
    expect((await client.fetch('/x', { method: 'POST', body: Readable.from(['once']) })).status).toBe(200)
  })

  test('during a call whose body comes from a function is repeated with a new body', async () => {
    takesPublished()
    killToken()
    let made = 0
    const body = (): Readable => Readable.from([`made ${++made}`])
    expect((await client.fetch('/x', { method: 'POST', body })).status).toBe(200)
    expect(server.received.map((call) => call.body)).toEqual(['made 1', 'made 2'])
  })

  test('keeps the same headers on the repeat, an idempotency key among them', async () => {
    takesPublished()
    killToken()
    await client.fetch('/x', { method: 'POST', json: {}, headers: { 'Idempotency-Key': 'KEY-1' } })
    expect(server.received.map(({ headers }) => headers['idempotency-key'])).toEqual(['KEY-1', 'KEY-1'])
  })
})

describe('a passing fault', () => {
  const failing =
    (times: number, fault: Scripted) =>
    (_call: Received, index: number): Scripted =>
      index < times ? fault : OK

  test.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])(
    'of %s is answered with a repeat',
    async (method) => {
      answer = failing(2, { status: 503 })
      const before = clock.now()
      expect((await client.fetch('/x', { method })).status).toBe(200)
      expect(server.received).toHaveLength(3)
      expect(before.until(clock.now()).total('seconds')).toBe(3)
    },
  )

  test.each([502, 503, 504])('HTTP %d that goes on is handed out after three repeats', async (status) => {
    answer = () => ({ status, body: 'down' })
    const reply = await client.fetch('/x')
    expect(reply.status).toBe(status)
    expect(await reply.text()).toBe('down')
    expect(server.received).toHaveLength(4)
  })

  test('of the network is answered with a repeat, and told when it goes on', async () => {
    answer = failing(2, 'reset')
    expect((await client.fetch('/x')).status).toBe(200)
    answer = () => 'reset'
    const error = await thrown(client.fetch('/x?secret=1'))
    expect(error).toBeInstanceOf(CallError)
    expect(error).toMatchObject({ code: 'network', sent: true })
    expect((error as Error).message).not.toContain('secret')
  })

  test.each(['reset', { status: 503 }, { status: 429, headers: { 'retry-after': '1' } }] as const)(
    'never repeats an order: %o',
    async (fault) => {
      answer = () => fault
      // How each of them ends is told by other tests.
      await Promise.allSettled([client.fetch('/v2/order/place', { method: 'POST', json: { quantity: 1 } })])
      await Promise.allSettled([client.fetch('/v2/order/modify', { method: 'PATCH', json: { quantity: 1 } })])
      expect(server.received).toHaveLength(2)
    },
  )

  test('repeats an order where the caller says that it may', async () => {
    answer = failing(2, 'reset')
    const reply = await client.fetch('/x', { method: 'POST', json: {}, retryUnsafe: true })
    expect(reply.status).toBe(200)
    expect(server.received).toHaveLength(3)
  })

  test('does not repeat a stream, which is spent', async () => {
    answer = () => ({ status: 503 })
    expect((await client.fetch('/x', { method: 'PUT', body: Readable.from(['once']) })).status).toBe(503)
    expect(server.received).toHaveLength(1)
  })

  test('is repeated as often as the caller says', async () => {
    answer = () => ({ status: 503 })
    await client.fetch('/x', { retries: 0 })
    expect(server.received).toHaveLength(1)
    await client.fetch('/x', { retries: 1 })
    expect(server.received).toHaveLength(3)
  })

  test('waits as long as a throttled broker asks for', async () => {
    answer = failing(1, { status: 429, headers: { 'retry-after': '7' } })
    const before = clock.now()
    expect((await client.fetch('/x')).status).toBe(200)
    expect(before.until(clock.now()).total('seconds')).toBe(7)
  })

  test.each([{ 'retry-after': '120' }, {}])(
    'is handed out when throttled with %o: nobody waits so long',
    async (headers) => {
      answer = () => ({ status: 429, headers: headers as Record<string, string> })
      expect((await client.fetch('/x')).status).toBe(429)
      expect(server.received).toHaveLength(1)
    },
  )

  test.each([400, 403, 404, 409, 422, 500])('is not what HTTP %d is', async (status) => {
    answer = () => ({ status })
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
    answer = failing(200, { status: 503, body: 'x'.repeat(10_000) })
    await Promise.all(Array.from({ length: 100 }, () => client.fetch('/x', { retries: 3 })))
    expect((await client.fetch('/x')).status).toBe(200)
  })
})
