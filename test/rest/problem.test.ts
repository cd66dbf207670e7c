import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BrokerUnavailableError, StateStoreError } from '../../lib/model/errors.ts'
import { RestWorld } from './support/rest-world.ts'

let world: RestWorld
let key: string

beforeEach(async () => {
  world = await RestWorld.open()
  await world.upstoxAccounts()
  key = await world.key()
})
afterEach(() => world.close())

describe('a problem', () => {
  test('has the members of RFC 9457, a code for programs and a fix for people', async () => {
    const asked = await world.ask('GET', '/accounts/NOBODY/token', {
      key,
      headers: { 'x-request-id': 'my-id' },
    })
    expect(asked.headers.get('content-type')).toBe('application/problem+json')
    expect(asked.headers.get('cache-control')).toBe('no-store')
    expect(asked.body).toEqual({
      type: 'urn:tokenkeeper:problem:unknown_account',
      title: 'There is no such account',
      status: 404,
      detail: 'there is no such account for this key',
      instance: 'my-id',
      code: 'unknown_account',
      fix: expect.any(String),
    })
  })

  test.each([
    ['a path there is not', 'GET', '/nowhere'],
    ['a method there is not', 'DELETE', '/accounts/ACC1/token'],
    ['an account without a name', 'GET', '/accounts//token'],
    ['a path that goes too deep', 'GET', '/accounts/a/b/c/token'],
  ])('of %s is 404 in the same form', async (_, method, path) => {
    const asked = await world.ask(method, path, { key })
    expect(asked.status).toBe(404)
    expect(asked.headers.get('content-type')).toBe('application/problem+json')
    expect(asked.body).toMatchObject({
      code: expect.stringMatching(/not_found|unknown_account/),
      instance: expect.any(String),
    })
  })

  test('advises no command with a gap in it, whatever was thrown', async () => {
    const fix = 'wait, or try at once: tokenkeeper refresh {account}'
    for (const call of ['states.get', 'states.list'] as const)
      world.failNext(call, { times: 'all', error: new StateStoreError('DynamoDB did not answer', { fix }) })
    world.mount()
    for (const path of ['/accounts/upstox/ACC1/token', '/token/status']) {
      const { body } = await world.get(path, key)
      expect(body).toMatchObject({ code: 'state' })
      expect(JSON.stringify(body)).not.toMatch(/[{<]account[}>]/)
      expect(body).toMatchObject({ fix: expect.stringContaining('with the account’s id for ACCOUNT') })
    }
  })

  test('of a store that is away says so in our words, and the log has it', async () => {
    world.failNext('states.get', { times: 'all' })
    world.mount()
    expect(await world.get('/accounts/upstox/ACC1/token', key)).toMatchObject({
      status: 503,
      body: { code: 'state', detail: 'the state table is away', fix: 'wait' },
    })
    expect(world.logs).toContainEqual(
      expect.objectContaining({ level: 'error', fields: expect.objectContaining({ code: 'state' }) }),
    )
  })

  test('of a bug of ours tells nothing of it', async () => {
    world.failNext('states.get', { times: 'all', error: new TypeError('CANARY') })
    world.mount()
    const asked = await world.get('/accounts/upstox/ACC1/token', key)
    expect(asked).toMatchObject({ status: 500, body: { code: 'internal' } })
    expect(asked.text + world.said()).not.toContain('CANARY')
  })

  test('of a store of keys that is away is 503, and opens nothing', async () => {
    const find = () => Promise.reject(new StateStoreError('the local store of API keys could not be used'))
    world.mount({ keys: { ...world.keys, find } })
    expect(await world.get('/accounts/ACC1/token', key)).toMatchObject({
      status: 503,
      body: { code: 'state' },
    })
  })

  test('of a tokens that cannot be reached is 503 with a time to wait', async () => {
    const refusal = {
      refused: true as const,
      code: 'broker_unavailable' as const,
      reason: 'the function is away',
      fix: 'wait',
    }
    const refused = async () => refusal
    const readToken = () => Promise.reject(new BrokerUnavailableError('away'))
    world.mount({ tokens: { refresh: refused, adopt: refused, validate: refused, readToken } })
    world.clock.advance({ minutes: 2 })
    const body = { access_token: world.upstox.accessTokenFor('SIM001') }
    for (const asked of [
      await world.get('/token/validate', key),
      await world.post('/accounts/ACC1/refresh', key),
      await world.post('/token/update', key, body),
      await world.post('/api/integration/tokens/refresh/ACC1', key),
    ]) {
      expect(asked).toMatchObject({ status: 503, body: { code: 'broker_unavailable', fix: 'wait' } })
      expect(Number(asked.headers.get('retry-after'))).toBeGreaterThan(0)
    }
    expect(await world.post('/api/integration/tokens/refresh-all', key)).toMatchObject({
      status: 200,
      body: {
        success: false,
        handedOver: 2,
        message: expect.stringContaining('upstox: the function is away'),
      },
    })
  })
})

describe('a request id', () => {
  const idOf = async (given?: string) => {
    const headers = given === undefined ? {} : { 'x-request-id': given }
    const asked = await world.ask('GET', '/accounts/NOBODY/token', { key, headers })
    expect(asked.headers.get('x-request-id')).toBe(asked.body['instance'])
    return asked.body['instance']
  }

  test('is the caller’s where it is plausible', async () => {
    expect(await idOf('req-0123_ABC=')).toBe('req-0123_ABC=')
  })

  test.each(['', ' ', 'a b', '<script>', 'x'.repeat(101), 'ü', 'a,b'])(
    'is ours where the caller’s is %j',
    async (given) => {
      expect(await idOf(given)).toMatch(/^[0-9a-f-]{36}$/)
    },
  )

  test('is on every reply, good or bad', async () => {
    for (const path of ['/health', '/token/status', '/docs', '/nowhere']) {
      expect((await world.get(path, key)).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    }
  })
})
