import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { apiKeyIdIn, SCOPES } from '../../lib/model/api-key.ts'
import { RestWorld } from './support/rest-world.ts'

let world: RestWorld

beforeEach(async () => {
  world = await RestWorld.open()
  await world.upstoxAccounts()
})
afterEach(() => world.close())

/** Every path that needs a scope, with the scope. */
const GUARDED = [
  ['GET', '/token/status', 'status'],
  ['GET', '/accounts/ACC1/token/status', 'status'],
  ['GET', '/accounts/upstox/ACC1/token/status', 'status'],
  ['GET', '/token/validate', 'validate'],
  ['GET', '/accounts/ACC1/token/validate', 'validate'],
  ['GET', '/accounts/upstox/ACC1/token/validate', 'validate'],
  ['GET', '/accounts/ACC1/token', 'token'],
  ['GET', '/accounts/upstox/ACC1/token', 'token'],
  ['POST', '/accounts/ACC1/refresh', 'refresh'],
  ['POST', '/accounts/upstox/ACC1/refresh', 'refresh'],
  ['POST', '/token/update', 'update'],
  ['POST', '/accounts/ACC1/token/update', 'update'],
  ['POST', '/accounts/upstox/ACC1/token/update', 'update'],
  ['POST', '/api/integration/tokens/refresh-all', 'refresh'],
  ['POST', '/api/integration/tokens/refresh/ACC1', 'refresh'],
] as const

describe('R2.10 a path that needs a scope', () => {
  test.each(GUARDED)('%s %s is closed without a key, and says which kind it wants', async (method, path) => {
    const refused = await world.ask(method, path)
    expect(refused.status).toBe(401)
    expect(refused.body).toMatchObject({
      code: 'unauthenticated',
      fix: expect.stringContaining('keys create'),
    })
    expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="tokenkeeper"')
  })

  test.each(GUARDED)('%s %s is closed to a key with every scope but its own', async (method, path, scope) => {
    const key = await world.key(SCOPES.filter((one) => one !== scope))
    const refused = await world.ask(method, path, { key })
    expect(refused.status).toBe(403)
    expect(refused.body).toMatchObject({ code: 'insufficient_scope', detail: expect.stringContaining(scope) })
    expect(refused.headers.get('www-authenticate')).toContain(`error="insufficient_scope", scope="${scope}"`)
  })

  test.each(GUARDED)('%s %s is open to a key with its scope alone', async (method, path, scope) => {
    const opened = await world.ask(method, path, {
      key: await world.key([scope]),
      ...(method === 'POST' && { body: { access_token: world.upstox.accessTokenFor('SIM001') } }),
    })
    expect(opened.status).toBe(200)
  })

  test('says nothing of the body before it knows the key', async () => {
    const refused = await world.ask('POST', '/token/update', {
      text: '{',
      headers: { 'content-type': 'text/xml' },
    })
    expect(refused.status).toBe(401)
  })
})

describe('a key', () => {
  const status = (authorization: string) => world.ask('GET', '/token/status', { headers: { authorization } })

  test.each([
    ['empty', ''],
    ['no key', 'Bearer nonsense'],
    ['of another scheme', 'Basic dGs6dGs='],
    ['without its secret', 'Bearer tk_aaaaaaaaaa_'],
    ['of nobody', `Bearer tk_aaaaaaaaaa_${'x'.repeat(43)}`],
    ['injected', "Bearer tk_' OR 1=1 --_x"],
    ['enormous', `Bearer ${'x'.repeat(8_000)}`],
  ])('that is %s is 401, with one answer for all of them', async (_, header) => {
    const refused = await status(header)
    expect(refused.status).toBe(401)
    expect(refused.body).toMatchObject({ code: 'key_unknown' })
    expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"')
  })

  test('with the right id and another secret is answered as one of nobody', async () => {
    const id = apiKeyIdIn(await world.key(['status']))
    const known = await status(`Bearer tk_${id}_${'x'.repeat(43)}`)
    const unknown = await status(`Bearer tk_aaaaaaaaaa_${'x'.repeat(43)}`)
    const same = ({ body: { instance: _, ...rest } }: typeof known) => rest
    expect(same(known)).toEqual(same(unknown))
  })

  test('is taken whatever the case of its scheme', async () => {
    expect((await status(`bearer ${await world.key(['status'])}`)).status).toBe(200)
  })

  test('opens nothing from the request after its revocation on', async () => {
    const key = await world.key(['status'])
    expect((await world.get('/token/status', key)).status).toBe(200)
    await world.keys.revoke(apiKeyIdIn(key) as string, world.clock.now())
    expect(await world.get('/token/status', key)).toMatchObject({
      status: 401,
      body: { code: 'key_revoked' },
    })
  })

  test('is refused from the moment it expires', async () => {
    const key = await world.key(['status'], undefined, 24)
    world.clock.advance({ hours: 23 })
    expect((await world.get('/token/status', key)).status).toBe(200)
    world.clock.advance({ hours: 1 })
    expect(await world.get('/token/status', key)).toMatchObject({
      status: 401,
      body: { code: 'key_expired' },
    })
  })

  test('in a query, a cookie or a form opens nothing', async () => {
    const key = await world.key(['status'])
    expect((await world.get(`/token/status?access_token=${key}`)).status).toBe(401)
    const cookie = { headers: { cookie: `authorization=Bearer ${key}` } }
    expect((await world.ask('GET', '/token/status', cookie)).status).toBe(401)
  })
})

describe('a key that is limited to accounts', () => {
  const PATHS = [
    ['GET', (id: string) => `/accounts/${id}/token/status`],
    ['GET', (id: string) => `/accounts/${id}/token/validate`],
    ['GET', (id: string) => `/accounts/${id}/token`],
    ['POST', (id: string) => `/accounts/${id}/refresh`],
    ['POST', (id: string) => `/accounts/${id}/token/update`],
    ['POST', (id: string) => `/api/integration/tokens/refresh/${encodeURIComponent(id)}`],
  ] as const

  test.each(PATHS)(
    '%s is told the same of a foreign account as of one there is not',
    async (method, pathOf) => {
      const key = await world.key(SCOPES, ['upstox/ACC1'])
      const body = method === 'POST' ? { body: { access_token: 'SIMULATED-token' } } : {}
      const ask = async (id: string) => {
        const headers = { 'x-request-id': 'the-same' }
        const {
          status,
          text,
          headers: replied,
        } = await world.ask(method, pathOf(id), { key, headers, ...body })
        return { status, text, headers: [...replied] }
      }
      const [foreign, unknown] = [await ask('upstox/ACC2'), await ask('upstox/NOBODY')]
      expect(foreign.status).toBe(404)
      expect(foreign).toEqual(unknown)
      expect(await ask('ACC2')).toEqual(await ask('NOBODY'))
      // Names that cannot be accounts at all are no exception.
      for (const odd of ['..%2F..', '%00', "'; DROP TABLE api_key; --", 'upstox%2FACC2', 'ü'.repeat(500)]) {
        const asked = await ask(odd)
        expect({ ...asked, text: JSON.parse(asked.text).code }).toMatchObject({ status: 404 })
      }
    },
  )

  test('is told of its own accounts where none is named', async () => {
    const key = await world.key(['status'], ['upstox/ACC2'])
    const { body } = await world.get('/token/status', key)
    expect(body).toMatchObject({ account: 'upstox/ACC2' })
    expect(JSON.stringify(body)).not.toContain('ACC1')
  })

  test('whose accounts are all gone is told that there is none', async () => {
    const key = await world.key(['status', 'refresh'], ['fyers/papa'])
    expect(await world.get('/token/status', key)).toMatchObject({
      status: 404,
      body: { code: 'no_accounts' },
    })
    expect(await world.post('/api/integration/tokens/refresh-all', key)).toMatchObject({
      status: 404,
      body: { code: 'no_accounts' },
    })
  })

  test('runs over its own accounts only', async () => {
    const key = await world.key(['refresh'], ['upstox/ACC2'])
    const { body } = await world.post('/api/integration/tokens/refresh-all', key)
    expect(body).toMatchObject({ total: 1, results: [{ account: 'upstox/ACC2' }] })
  })

  test('cannot hand in a token for a foreign account by the body', async () => {
    const key = await world.key(['update'], ['upstox/ACC1'])
    const body = { access_token: world.upstox.accessTokenFor('SIM002'), account_id: 'ACC2' }
    expect((await world.post('/token/update', key, body)).status).toBe(404)
  })
})

describe('on a machine of one’s own', () => {
  test('the status is open until the first key is made, and not a moment longer', async () => {
    world.mount({ access: 'loopback' })
    expect((await world.get('/token/status')).status).toBe(200)
    expect((await world.get('/accounts/ACC1/token/status')).status).toBe(200)
    const key = await world.key(['validate'])
    expect((await world.get('/token/status')).status).toBe(401)
    await world.keys.revoke(apiKeyIdIn(key) as string, world.clock.now())
    expect((await world.get('/token/status')).status).toBe(401)
  })

  test('a request with a bad key is refused, as one without a key is not', async () => {
    world.mount({ access: 'loopback' })
    expect((await world.get('/token/status', 'nonsense')).status).toBe(401)
  })

  test.each(GUARDED.filter(([, , scope]) => scope !== 'status'))(
    '%s %s needs a key all the same',
    async (method, path) => {
      world.mount({ access: 'loopback' })
      expect((await world.ask(method, path)).status).toBe(401)
    },
  )

  test('the documentation is open', async () => {
    world.mount({ access: 'loopback' })
    for (const path of ['/docs', '/openapi.json']) expect((await world.get(path)).status).toBe(200)
  })
})

describe('on AWS', () => {
  test('every path but health needs a key, and any key opens the documentation', async () => {
    expect((await world.get('/health')).status).toBe(200)
    const key = await world.key(['update'])
    for (const path of ['/docs', '/openapi.json']) {
      expect((await world.get(path)).status).toBe(401)
      expect((await world.get(path, key)).status).toBe(200)
    }
  })
})
