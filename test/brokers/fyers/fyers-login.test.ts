import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fyers } from '../../../lib/brokers/fyers/fyers.ts'
import { parseSchedule } from '../../../lib/markets/schedule.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { FyersSimulator } from '../../../lib/simulators/fyers/fyers-simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { clockAhead } from '../../support/clock-ahead.ts'
import { Person } from '../../support/person.ts'
import { World } from '../../support/world.ts'

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

  const forced = async () => {
    world.clock.advance({ minutes: 2 })
    return world.runOne(fyers, { accounts: [account], force: true })
  }

  test('I7 lifts no block of a PIN that may be wrong: only the PIN stored anew does, and the message says so', async () => {
    simulator.behaviour.refreshWithdrawn = { code: -1601, status: 401 }
    await world.store(account, { pin: ONE.pin, refresh_token: simulator.refreshTokenFor(ONE.fyId, 3) })
    await world.run(fyers)
    const block = (await world.ports.states.get(account))?.blocks.refresh_token
    expect(block?.reason).toContain('the PIN is a suspect and is not sent again until it is stored anew')
    expect(block?.reason).toContain(`tokenkeeper put ${account} pin`)
    expect((await person.logIn()).success).toBe(true)
    delete simulator.behaviour.refreshWithdrawn
    const sent = simulator.refreshes
    expect(await forced()).toMatchObject({ outcome: 'awaiting_login' })
    expect(await forced()).toMatchObject({ reason: expect.stringContaining('the PIN is a suspect') })
    expect(simulator.refreshes).toBe(sent)
    await world.store(account, { pin: ONE.pin })
    expect(await forced()).toMatchObject({ outcome: 'refreshed' })
  })

  test('lifts the block of a refresh token that FYERS named: the PIN is none of it', async () => {
    simulator.behaviour.refreshWithdrawn = { code: -501, status: 401 }
    await world.store(account, { pin: ONE.pin, refresh_token: simulator.refreshTokenFor(ONE.fyId, 3) })
    await world.run(fyers)
    expect((await person.logIn()).success).toBe(true)
    delete simulator.behaviour.refreshWithdrawn
    expect(await forced()).toMatchObject({ outcome: 'refreshed' })
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

  test('a lost reply counts as a spent code, which is not sent again', async () => {
    const landed = await person.atBroker(await person.begin())
    server.failNext(EXCHANGE, { kind: 'lost_reply' })
    expect(await person.comeBack(landed)).toMatchObject({ code: 'ambiguous', fix: 'log in again' })
    await person.comeBack(landed)
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
    const result = await person.comeBack(landed)
    expect(result).toMatchObject({ code: 'grant_rejected', fix: 'log in at FYERS again' })
    expect(server.count(EXCHANGE)).toBe(0)
    expect(JSON.stringify(result)).not.toContain(landed.searchParams.get('auth_code'))
  })
})

describe('a fresh code, when our clock is six minutes ahead', () => {
  const comeBackAhead = async (http = world.ports.http) => {
    const landed = await person.atBroker(await person.begin())
    world.ports = { ...world.ports, clock: clockAhead(world.clock, { minutes: 6 }), http }
    return new Person(world, fyers, account).comeBack(landed)
  }

  test('is sent: FYERS itself tells that the clock is ours', async () => {
    expect((await comeBackAhead()).success).toBe(true)
    expect(server.count(EXCHANGE)).toBe(1)
  })

  test('is refused unsent where FYERS does not tell its time, and the clock is named', async () => {
    const { http } = world.ports
    const dateless: typeof http = {
      send: async (request) => {
        const reply = await http.send(request)
        const { date: _, ...headers } = reply.headers
        return { ...reply, headers }
      },
    }
    expect(await comeBackAhead(dateless)).toMatchObject({
      code: 'grant_rejected',
      reason: expect.stringContaining('by the clock of this machine, which may be wrong'),
      fix: expect.stringContaining('check the clock of this machine'),
    })
    expect(server.count(EXCHANGE)).toBe(0)
  })

  test('is refused unsent where FYERS is out of reach, and the clock is named', async () => {
    world.failNext('http.send', { times: 'all' })
    expect(await comeBackAhead()).toMatchObject({
      reason: expect.stringContaining('by the clock of this'),
    })
  })
})

test('an old code is old by the clock of FYERS, whatever ours shows', async () => {
  const landed = await person.atBroker(await person.begin())
  const begun = world.clock.now()
  world.clock.advance({ minutes: 6 })
  const behind = clockAhead(world.clock, { seconds: -50 })
  world.ports = { ...world.ports, clock: behind }
  const result = await new Person(world, fyers, account).comeBack(landed)
  expect(result).toMatchObject({ success: false, reason: 'the authorization code is older than 5 min' })
  expect(begun.until(behind.now()).total('seconds')).toBeGreaterThan(300)
  expect(server.count(EXCHANGE)).toBe(0)
})

describe('the budget of a login', () => {
  test('is one exchange a minute, said before the person has typed a code', async () => {
    await person.logIn()
    world.clock.advance({ seconds: 59 })
    await expect(person.begin()).rejects.toThrow('rate_limited')
    world.clock.advance({ seconds: 1 })
    expect((await person.logIn()).success).toBe(true)
  })

  test('is ten exchanges a day', async () => {
    for (let i = 0; i < 10; i++) {
      expect((await person.logIn()).success).toBe(true)
      world.clock.advance({ minutes: 2 })
    }
    await expect(person.begin()).rejects.toThrow('rate_limited')
    world.clock.set('2026-11-24T00:00:01+05:30')
    expect((await person.logIn()).success).toBe(true)
  })
})

test('the second person’s login is refused and changes nothing', async () => {
  await person.logIn()
  const before = [await world.stored(account, 'access_token'), await world.stored(account, 'refresh_token')]
  world.clock.advance({ minutes: 2 })
  expect(await person.logIn({ user: TWO.fyId })).toMatchObject({ success: false, code: 'wrong_account' })
  // The token itself says whose it is: it is not even shown to FYERS.
  expect(server.count('/api/v3/profile')).toBe(1)
  expect([await world.stored(account, 'access_token'), await world.stored(account, 'refresh_token')]).toEqual(
    before,
  )
})

test('nobody is sent to FYERS with a redirect URI that is none', async () => {
  await world.store(account, { redirect_uri: 'not-a-url-but-secret-looking' })
  const error = await person.begin().catch((thrown: Error) => thrown)
  expect(String(error)).toContain('the stored redirect_uri of fyers is malformed')
  expect(String(error)).not.toContain('secret-looking')
})

test('whoever cancels at FYERS can begin again at once', async () => {
  expect(await person.logIn({ decision: 'refuse' })).toMatchObject({ success: false, code: 'grant_rejected' })
  expect((await person.logIn()).success).toBe(true)
})

test.each([
  ['s=error&code=-1&state=x', { refusal: 'error' }],
  ['s=ok&code=200&state=x', { refusal: 'no_auth_code' }],
  ['code=mistaken-for-the-code&state=x', { refusal: 'no_auth_code' }],
  ['auth_code=&state=x', { refusal: 'no_auth_code' }],
  ['', { refusal: 'no_auth_code' }],
])('the redirect %j brought no code', (query, read) => {
  expect(fyers.login.code.readCallback(new URLSearchParams(query))).toEqual(read)
})

test('the redirect names whose login it is where FYERS says so', () => {
  const read = fyers.login.code.readCallback(new URLSearchParams('auth_code=sim.code.x&user_id=XX00001'))
  expect(read).toMatchObject({ userId: 'XX00001' })
  expect(read.code?.reveal()).toBe('sim.code.x')
})

test('reminders at 08:15 and 08:45 find a run', () => {
  const schedule = parseSchedule(fyers.schedule.expressions[0], fyers.schedule.timeZone)
  const times: string[] = []
  let at = world.at('2026-11-23T08:00:00+05:30').epochMilliseconds - 1
  for (let i = 0; i < 5; i++) {
    at = schedule.next(at) ?? 0
    times.push(new Date(at).toISOString().slice(0, 16))
  }
  // 08:00, 08:15, 08:30, 08:45 in India, then the next day.
  expect(times).toEqual([
    '2026-11-23T02:30',
    '2026-11-23T02:45',
    '2026-11-23T03:00',
    '2026-11-23T03:15',
    '2026-11-24T00:30',
  ])
})
