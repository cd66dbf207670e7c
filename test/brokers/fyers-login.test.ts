import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fyers } from '../../lib/brokers/fyers.ts'
import { challengeOf } from '../../lib/brokers/fyers-login.ts'
import { FyersSimulator } from '../../lib/simulators/fyers-simulator.ts'
import type { SimulatorServer } from '../../lib/simulators/simulator-server.ts'
import type { AccountId } from '../../lib/tokens/account-id.ts'
import { changed } from '../../lib/tokens/account-state.ts'
import { Secret } from '../../lib/tokens/secret.ts'
import { Person } from '../support/person.ts'
import { World } from '../support/world.ts'

const APP = { clientId: 'ABCDEFGH12-100', secret: 'S3CRET-FYERS-APP' }
const ONE = { fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' }
const TWO = { fyId: 'XX00002', name: 'SIM USER TWO', pin: '1470' }
const EXCHANGE = '/api/v3/validate-authcode'

let world: World
let simulator: FyersSimulator
let server: SimulatorServer
let account: AccountId
let person: Person

beforeEach(async () => {
  world = new World('2026-11-23T08:00:00+05:30')
  simulator = new FyersSimulator(world.clock, APP, [ONE, TWO])
  server = await world.serve(simulator)
  account = await world.account('fyers', { client_id: APP.clientId, client_secret: APP.secret })
  person = new Person(world, fyers, account)
})
afterEach(() => world.close())

describe('R3.1 the login at FYERS', () => {
  test('asks for the app id with its suffix, the redirect URI and our state', async () => {
    const url = new URL(await person.begin())
    expect(url.pathname).toBe('/api/v3/generate-authcode')
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      client_id: APP.clientId,
      redirect_uri: 'https://tokens.example.invalid/callback/fyers',
      response_type: 'code',
    })
    expect(url.searchParams.get('state')).not.toBe('')
  })

  test('ends in a proven token, with its refresh token beside it', async () => {
    expect((await person.logIn()).success).toBe(true)
    const record = await world.ports.states.get(account)
    expect(record).toMatchObject({ userId: 'XX00001', clientName: 'SIM USER ONE', generation: 1 })
    expect(await world.stored(account, 'refresh_token')).toBeDefined()
    expect(record?.accessToken?.expiresAt.toString()).toBe('2026-11-24T00:30:00Z')
  })

  test('needs neither s nor code in the redirect', async () => {
    simulator.behaviour.bareRedirect = true
    expect((await person.logIn()).success).toBe(true)
  })

  test('works with the redirect URI that FYERS gives everybody, the address pasted back', async () => {
    const redirect = 'https://trade.fyers.in/api-login/redirect-to-app'
    await world.store(account, { redirect_uri: redirect })
    const landed = await person.atBroker(await person.begin())
    expect(landed.href.startsWith(redirect)).toBe(true)
    expect((await person.comeBack(landed)).success).toBe(true)
  })

  test('ends a withdrawn refresh: it is tried again only with the new refresh token', async () => {
    simulator.behaviour.refreshWithdrawn = { code: -1601, status: 401 }
    await world.store(account, { pin: ONE.pin, refresh_token: simulator.refreshTokenFor(ONE.fyId, 3) })
    await world.run(fyers)
    expect((await world.ports.states.get(account))?.blocks.refresh_token).toBeDefined()
    expect((await person.logIn()).success).toBe(true)
    expect((await world.ports.states.get(account))?.blocks).toEqual({})
  })
})

describe('R3.10 each refusal of the exchange is named with what helps', () => {
  const refusal = async (code: number, status = 401): Promise<unknown> => {
    const landed = await person.atBroker(await person.begin())
    server.failNext(EXCHANGE, {
      kind: 'reply',
      status,
      body: JSON.stringify({ s: 'error', code, message: 'x' }),
    })
    return person.comeBack(landed)
  }

  test.each([
    [-437, 'grant_rejected', 'wrong, too old or used before', 'log in'],
    [-371, 'client_rejected', 'hash of app id and secret', 'tokenkeeper setup fyers'],
    [-352, 'client_rejected', 'does not know this app id', 'tokenkeeper setup fyers'],
    [-373, 'client_rejected', 'denies this app access', 'permission'],
    [-374, 'client_rejected', 'refuses our request', 'report it'],
    [-99999, 'grant_rejected', 'authorization code', 'log in'],
    [-96, 'ambiguous', 'counts as spent', 'log in'],
    [-429, 'rate_limited', 'throttles', 'log in again in 1 min'],
  ])('%i is %s', async (code, ours, reason, fix) => {
    const result = await refusal(code)
    expect(result).toMatchObject({
      success: false,
      code: ours,
      reason: expect.stringContaining(reason),
      fix: expect.stringContaining(fix),
    })
  })

  test('a server fault after the code was sent counts as a spent code', async () => {
    const landed = await person.atBroker(await person.begin())
    server.failNext(EXCHANGE, { kind: 'reply', status: 502, body: '<html>Bad Gateway</html>' })
    expect(await person.comeBack(landed)).toMatchObject({ code: 'ambiguous' })
    expect(server.count(EXCHANGE)).toBe(1)
  })

  test('the block of the edge holds up the next login for ten minutes', async () => {
    const landed = await person.atBroker(await person.begin())
    server.failNext(EXCHANGE, { kind: 'reply', status: 429, body: '<html>Too many requests</html>' })
    expect(await person.comeBack(landed)).toMatchObject({
      code: 'rate_limited',
      fix: 'log in again in 10 min',
    })
    await expect(person.begin()).rejects.toThrow('rate_limited')
  })

  test('a code that is more than five minutes old is not sent at all', async () => {
    const landed = await person.atBroker(await person.begin())
    world.clock.advance({ minutes: 6 })
    expect(await person.comeBack(landed)).toMatchObject({ code: 'grant_rejected' })
    expect(server.count(EXCHANGE)).toBe(0)
  })
})

test('the second person’s login is refused and changes nothing', async () => {
  await person.logIn()
  const before = [await world.stored(account, 'access_token'), await world.stored(account, 'refresh_token')]
  world.clock.advance({ minutes: 2 })
  expect(await person.logIn({ user: TWO.fyId })).toMatchObject({ success: false, code: 'wrong_account' })
  expect([await world.stored(account, 'access_token'), await world.stored(account, 'refresh_token')]).toEqual(
    before,
  )
})

test('whoever cancels at FYERS can begin again at once', async () => {
  expect(await person.logIn({ decision: 'refuse' })).toMatchObject({ success: false, code: 'grant_rejected' })
  expect((await person.logIn()).success).toBe(true)
})

describe('with --option pkce=on', () => {
  beforeEach(async () => {
    const record = await world.ports.states.get(account)
    if (record) await world.ports.states.replace(changed(record, { settings: { options: { pkce: 'on' } } }))
  })

  test('the address carries a challenge and the exchange the verifier in place of the app hash', async () => {
    const address = await person.begin()
    const challenge = new URL(address).searchParams.get('code_challenge')
    expect(challenge).toMatch(/^[\w-]{43}$/)
    const bodies: string[] = []
    const landed = await person.atBroker(address)
    world.ports = {
      ...world.ports,
      http: {
        send: async ({ body = '' }) => {
          bodies.push(body)
          return { status: 500, headers: {}, body: '' }
        },
      },
    }
    await new Person(world, fyers, account).comeBack(landed)
    const sent = JSON.parse(bodies[0] ?? '{}') as Record<string, string>
    expect(Object.keys(sent)).toEqual(['grant_type', 'code', 'code_verifier'])
    expect(challengeOf(new Secret(sent['code_verifier'] ?? ''))).toBe(challenge)
  })

  test('a bare code is refused: it does not say which login it belongs to', async () => {
    const code = simulator.authCodeFor(ONE.fyId)
    expect(await person.finish({ by: 'code', account, code })).toMatchObject({
      success: false,
      code: 'configuration_invalid',
      fix: expect.stringContaining('paste the whole address'),
    })
    expect(server.count(EXCHANGE)).toBe(0)
  })
})

test('the challenge is the one of RFC 7636, appendix B', () => {
  expect(challengeOf(new Secret('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'))).toBe(
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  )
})

test('nothing that is said holds the code, the state, the app secret or a token', async () => {
  const landed = await person.atBroker(await person.begin())
  server.failNext(EXCHANGE, { kind: 'reply', status: 401, body: JSON.stringify({ s: 'error', code: -437 }) })
  await person.comeBack(landed)
  const said = world.said() + JSON.stringify(await world.ports.states.get(account))
  for (const secret of [landed.searchParams.get('auth_code'), landed.searchParams.get('state'), APP.secret]) {
    expect(said).not.toContain(secret)
  }
})
