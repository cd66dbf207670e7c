import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { zerodha } from '../../../lib/brokers/zerodha/zerodha.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { LoginResult } from '../../../lib/model/account-state.ts'
import type { LoginService, Started } from '../../../lib/ports/login-service.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { KITE_FAULTS } from '../../../lib/simulators/zerodha/replies.ts'
import { ZerodhaSimulator } from '../../../lib/simulators/zerodha/zerodha-simulator.ts'
import { loginService } from '../../../lib/tokens/login/login-service.ts'
import { World } from '../../support/world.ts'

const CALLBACK = 'https://example.invalid/callback/zerodha'
const APP = { apiKey: 'kiteapikey123', secret: 'S3CRET-KITE-APP', redirectUrl: CALLBACK }
const BROWSER = 'a-browser'
const EXCHANGE = '/session/token'

let world: World
let simulator: ZerodhaSimulator
let server: SimulatorServer
let account: AccountId
let logins: LoginService

beforeEach(async () => {
  world = new World('2026-11-23T07:00:00+05:30')
  simulator = new ZerodhaSimulator(world.clock, { ...APP }, [
    { userId: 'SIM001', name: 'SIM USER ONE' },
    { userId: 'SIM002', name: 'SIM USER TWO' },
  ])
  simulator.behaviour.automaticLogin = 'SIM001'
  server = await world.serve(simulator)
  account = await world.account('zerodha', { client_id: APP.apiKey, client_secret: APP.secret })
  logins = loginService({ brokers: [zerodha], ports: world.ports })
})

afterEach(() => world.close())

async function started(): Promise<Started> {
  const begun = await logins.start({ account, browser: BROWSER, callbackUrl: CALLBACK })
  if ('refused' in begun) throw new Error(begun.reason)
  return begun
}

/** Where the broker sends the browser back to. */
async function redirected(authorizationUrl: string): Promise<URL> {
  const reply = await fetch(authorizationUrl, { redirect: 'manual' })
  return new URL(reply.headers.get('location') ?? 'about:blank')
}

/** Takes the browser back to us, and tells how the login ended. */
async function cameBack({ loginId }: Started, query: string): Promise<LoginResult | undefined> {
  await logins.finish({ by: 'redirect', broker: 'zerodha', query, browser: BROWSER })
  const state = await world.ports.states.get(account)
  return state?.logins?.find(({ id }) => id === loginId)?.result
}

async function loggedIn(): Promise<LoginResult | undefined> {
  const login = await started()
  return cameBack(login, (await redirected(login.authorizationUrl)).search.slice(1))
}

describe('the address of the login page', () => {
  test('carries version, API key and our state within redirect_params, and no secret', async () => {
    const { authorizationUrl, redirectUri } = await started()
    const url = new URL(authorizationUrl)
    expect(url.origin + url.pathname).toBe(`${server.origin}/connect/login`)
    expect([...url.searchParams.keys()]).toEqual(['v', 'api_key', 'redirect_params'])
    expect(url.searchParams.get('v')).toBe('3')
    expect(url.searchParams.get('api_key')).toBe(APP.apiKey)
    const ours = new URLSearchParams(url.searchParams.get('redirect_params') ?? '')
    expect([...ours.keys()]).toEqual(['state'])
    expect(authorizationUrl).not.toContain(APP.secret)
    expect(redirectUri).toBe(CALLBACK)
  })

  test.each(['abc', 'a&b=c d+e%26é', 'st4te.with-every_safe~mark'])(
    'brings the state %j back unchanged, beside what Kite adds',
    async (state) => {
      const context = { host: () => server.origin, secret: () => ({ reveal: () => APP.apiKey }) }
      const address = zerodha.login.code.authorizationUrl(context as never, { state } as never)
      const back = await redirected(address)
      expect(back.origin + back.pathname).toBe(CALLBACK)
      expect([...back.searchParams.keys()]).toEqual(['request_token', 'action', 'status', 'state'])
      expect(back.searchParams.get('state')).toBe(state)
    },
  )

  test('of the state abc is encoded as the README has it', () => {
    const context = {
      host: () => 'https://kite.zerodha.com',
      secret: () => ({ reveal: () => 'kiteapikey123' }),
    }
    expect(zerodha.login.code.authorizationUrl(context as never, { state: 'abc' } as never)).toBe(
      'https://kite.zerodha.com/connect/login?v=3&api_key=kiteapikey123&redirect_params=state%3Dabc',
    )
  })

  test('names the redirect URL that is stored with the app, where there is one', async () => {
    await world.store(account, { redirect_uri: 'https://own.example.invalid/kite' })
    expect((await started()).redirectUri).toBe('https://own.example.invalid/kite')
  })
})

describe('what comes back', () => {
  const read = (query: string) => zerodha.login.code.readCallback(new URLSearchParams(query))

  test.each(['request_token=reqtoken456&action=login&status=success&state=s', 'request_token=reqtoken456'])(
    'is a request token in %s',
    (query) => {
      const { code, ...rest } = read(query)
      expect(code?.reveal()).toBe('reqtoken456')
      expect(rest).toEqual({})
    },
  )

  test.each([
    ['action=login&status=cancelled&state=s', 'cancelled'],
    ['request_token=reqtoken456&status=error', 'error'],
    ['request_token=&status=success', 'no_request_token'],
    ['status=success&state=s', 'no_request_token'],
    ['', 'no_request_token'],
  ])('is a refusal in "%s"', (query, refusal) => expect(read(query)).toEqual({ refusal }))
})

describe('a login', () => {
  test('ends in a token that is exchanged once, proven and published until 06:00 IST', async () => {
    expect(await loggedIn()).toMatchObject({ success: true })
    const state = await world.ports.states.get(account)
    expect(state).toMatchObject({ userId: 'SIM001', clientName: 'SIM USER ONE', generation: 1 })
    expect(state?.accessToken).toMatchObject({
      source: 'login',
      expiresAt: world.at('2026-11-24T06:00:00+05:30'),
      expiryDecidedBy: '06:00 Asia/Kolkata',
    })
    const headers = { authorization: `token ${APP.apiKey}:${await world.stored(account, 'access_token')}` }
    expect((await fetch(`${server.origin}/user/margins`, { headers })).status).toBe(200)
    expect(await world.stored(account, 'refresh_token')).toBeUndefined()
    expect([server.count(EXCHANGE), server.count('/user/profile')]).toEqual([1, 1])
  })

  test('whose callback is loaded again exchanges nothing again', async () => {
    const login = await started()
    const query = (await redirected(login.authorizationUrl)).search.slice(1)
    await cameBack(login, query)
    expect(await cameBack(login, query)).toMatchObject({ success: true })
    expect(server.count(EXCHANGE)).toBe(1)
  })

  test('gives an approved platform its refresh token, which the next morning uses', async () => {
    simulator.behaviour.approvedPlatform = 'rotating'
    await loggedIn()
    world.clock.set('2026-11-24T06:15:00+05:30')
    const { report } = await world.run(zerodha)
    expect(report.results[0]).toMatchObject({ outcome: 'refreshed' })
  })

  test('by somebody else changes nothing, the refresh token of an approved platform included', async () => {
    simulator.behaviour.approvedPlatform = 'rotating'
    await loggedIn()
    const stored = () =>
      Promise.all([world.stored(account, 'access_token'), world.stored(account, 'refresh_token')])
    const before = await stored()
    simulator.behaviour.automaticLogin = 'SIM002'
    world.clock.advance({ minutes: 1 })
    expect(await loggedIn()).toMatchObject({ success: false, code: 'wrong_account' })
    expect(await stored()).toEqual(before)
  })

  test('that was cancelled at Zerodha exchanges nothing', async () => {
    const login = await started()
    const back = new URLSearchParams((await redirected(login.authorizationUrl)).search)
    const query = new URLSearchParams({
      action: 'login',
      status: 'cancelled',
      state: back.get('state') ?? '',
    })
    expect(await cameBack(login, `${query}`)).toMatchObject({
      success: false,
      code: 'grant_rejected',
      reason: expect.stringContaining('cancelled'),
    })
    expect(server.count(EXCHANGE)).toBe(0)
  })

  test.each([
    ['the reply is lost', { kind: 'lost_reply' }],
    ['Kite answers 500', KITE_FAULTS[500]],
    ['Kite answers 503', KITE_FAULTS[503]],
  ] as const)(
    'is over when %s: the request token counts as spent and is not sent again',
    async (_, fault) => {
      server.failNext(EXCHANGE, fault)
      expect(await loggedIn()).toMatchObject({ success: false, code: 'ambiguous' })
      expect(server.count(EXCHANGE)).toBe(1)
      world.clock.advance({ minutes: 1 })
      expect(await loggedIn()).toMatchObject({ success: true })
    },
  )

  test('with a wrong API secret is the operator’s to mend', async () => {
    await world.store(account, { client_secret: 'S3CRET-OF-ANOTHER-APP' })
    expect(await loggedIn()).toMatchObject({
      success: false,
      code: 'client_rejected',
      fix: expect.stringContaining('tokenkeeper setup zerodha'),
    })
  })

  test('is refused after ten of a day', async () => {
    for (let login = 0; login < 10; login++) {
      expect(await loggedIn()).toMatchObject({ success: true })
      world.clock.advance({ minutes: 1 })
    }
    expect(await logins.start({ account, browser: BROWSER, callbackUrl: CALLBACK })).toMatchObject({
      refused: true,
      code: 'rate_limited',
    })
    expect(server.count(EXCHANGE)).toBe(10)
  })

  test('says no secret, request token or state on any surface', async () => {
    const canaries = [APP.secret]
    const login = await started()
    const back = await redirected(login.authorizationUrl)
    for (const name of ['request_token', 'state']) canaries.push(back.searchParams.get(name) ?? '')
    simulator.masterLogout('SIM001')
    server.failNext(EXCHANGE, { kind: 'lost_reply' })
    await cameBack(login, back.search.slice(1))
    world.clock.advance({ minutes: 1 })
    expect(await loggedIn()).toMatchObject({ success: true })
    canaries.push((await world.stored(account, 'access_token')) ?? '')
    const record = JSON.stringify(await world.ports.states.get(account))
    expect(canaries.every((canary) => canary.length > 8)).toBe(true)
    expect(canaries.filter((canary) => `${world.said()}${record}`.includes(canary))).toEqual([])
  })
})
