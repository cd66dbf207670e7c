import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RestWorld } from './support/rest-world.ts'

let world: RestWorld
let key: string

const newToken = () => world.upstox.accessTokenFor('SIM001')

beforeEach(async () => {
  world = await RestWorld.open()
  await world.upstoxAccounts()
  key = await world.key(['update'])
})
afterEach(() => world.close())

describe('a body', () => {
  test('that is not JSON is 400', async () => {
    const headers = { 'content-type': 'application/json' }
    for (const text of ['{', 'access_token=x', '"', '\u0000', '{"a":1}}']) {
      expect(await world.ask('POST', '/token/update', { key, text, headers })).toMatchObject({
        status: 400,
        body: { code: 'malformed_request' },
      })
    }
  })

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'nonsense'])(
    'of the type %s is 415',
    async (type) => {
      const text = JSON.stringify({ access_token: newToken() })
      expect(
        await world.ask('POST', '/token/update', { key, text, headers: { 'content-type': type } }),
      ).toMatchObject({
        status: 415,
        body: { code: 'unsupported_media_type' },
      })
    },
  )

  test('of more than 16 kB is 413, announced or not', async () => {
    const body = { access_token: newToken(), more: 'x'.repeat(16 * 1024) }
    expect(await world.post('/token/update', key, body)).toMatchObject({
      status: 413,
      body: { code: 'body_too_large' },
    })
    const stream = new ReadableStream({
      pull(controller) {
        controller.enqueue(new TextEncoder().encode('x'.repeat(1024)))
      },
    })
    const reply = await world.app.request('/token/update', {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: stream,
      duplex: 'half',
    } as RequestInit)
    expect(reply.status).toBe(413)
  })

  test('that is missing is 422, for a path that needs one', async () => {
    expect((await world.ask('POST', '/token/update', { key })).status).toBe(422)
  })

  test('as deep as 16 kB can be is no trouble', async () => {
    const text = `{"access_token":${'['.repeat(8_000)}${']'.repeat(8_000)}}`
    const asked = await world.ask('POST', '/token/update', {
      key,
      text,
      headers: { 'content-type': 'application/json' },
    })
    expect(asked.status).toBe(422)
  })

  test('with fields nobody knows, and with names of the language’s own, is read for what is known', async () => {
    const text = `{"access_token":"${newToken()}","__proto__":{"force":true},"constructor":1,"token_type":"Bearer"}`
    const asked = await world.ask('POST', '/token/update', {
      key,
      text,
      headers: { 'content-type': 'application/json' },
    })
    expect(asked.status).toBe(200)
  })
})
