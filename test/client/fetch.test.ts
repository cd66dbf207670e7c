import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type CallBody,
  createClient,
  type TokenkeeperClient,
  TokenUnavailableError,
} from '../../lib/client/index.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import type { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { thrownBy } from '../support/thrown.ts'
import { ApiWorld, DEAD, OK } from './support/api-scene.ts'
import type { ApiServer, Received } from './support/api-server.ts'
import { KeptSource } from './support/kept-source.ts'

let api: ApiWorld
let clock: VirtualClock
let source: KeptSource
let server: ApiServer
let client: TokenkeeperClient

beforeEach(async () => {
  api = await ApiWorld.open()
  ;({ clock, source, server, client } = api)
})
afterEach(() => api.close())

/** The broker takes the published token and refuses every other one. */
function takesPublished(): void {
  api.answer = ({ headers }) =>
    headers.authorization === source.published?.authorization?.reveal() ? OK : DEAD
}

/** Everything published so far dies; the keeper has yet to notice. */
function killToken(): void {
  const dead = source.published?.authorization?.reveal()
  const before = api.answer
  api.answer = (call, index) => (call.headers.authorization === dead ? DEAD : before(call, index))
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
    api.answer = () => ({ status: 503 })
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
    api.answer = () => {
      impatient.abort(new Error('while it waits'))
      return 'hang'
    }
    const waiting = slow.fetch('/x', { method: 'POST', signal: impatient.signal })
    expect(await thrown(waiting)).toMatchObject({ message: 'while it waits' })
    await slow.close()
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
    api.answer = () => DEAD
    const reply = await client.fetch('/x')
    expect(reply.status).toBe(401)
    expect(await reply.text()).toContain('UDAPI100050')
    expect(server.received).toHaveLength(2)
    expect(source.asked.report).toBe(1)
  })

  test('that the keeper finds alive is not about the token: the 401 is the caller’s, whole, without a repeat', async () => {
    api.answer = () => DEAD
    source.next = undefined
    const reply = await client.fetch('/v2/order/place', { method: 'POST', json: {} })
    expect(reply.status).toBe(401)
    expect(await reply.json()).toEqual({ errors: [{ errorCode: 'UDAPI100050' }] })
    expect(server.received).toHaveLength(1)
  })

  test('that the keeper finds alive is reported at most four times a minute, however often the broker refuses', async () => {
    api.answer = () => DEAD
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
    const refusing = api.answer
    api.answer = (call, index) => {
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
