import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { zerodha } from '../../../lib/brokers/zerodha/zerodha.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { TokenkeeperError } from '../../../lib/model/errors.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import type { BrokerContext, Renewal } from '../../../lib/ports/broker/broker-context.ts'
import { HTML_200, HTML_502, type SimulatedFault } from '../../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { KITE_FAULTS } from '../../../lib/simulators/zerodha/replies.ts'
import { ZerodhaSimulator } from '../../../lib/simulators/zerodha/zerodha-simulator.ts'
import { readStored } from '../../../lib/tokens/lease/read-stored.ts'
import { brokerContext } from '../../../lib/tokens/transaction/broker-context.ts'
import { thrownBy } from '../../support/thrown.ts'
import { World } from '../../support/world.ts'

// The table of lib/brokers/zerodha/README.md, Errors, row by row, at the three calls there are.
const APP = { apiKey: 'kiteapikey123', secret: 'S3CRET-KITE-APP', redirectUrl: 'https://example.invalid/cb' }

let world: World
let server: SimulatorServer
let simulator: ZerodhaSimulator
let account: AccountId

beforeEach(async () => {
  world = new World('2026-11-23T07:00:00+05:30')
  simulator = new ZerodhaSimulator(world.clock, { ...APP }, [{ userId: 'SIM001', name: 'SIM USER ONE' }])
  simulator.behaviour.approvedPlatform = 'rotating'
  server = await world.serve(simulator)
  account = await world.account('zerodha', {
    client_id: APP.apiKey,
    client_secret: APP.secret,
    refresh_token: simulator.refreshTokenFor('SIM001'),
  })
})

afterEach(() => world.close())

async function context(): Promise<BrokerContext> {
  const state = await world.ports.states.get(account)
  if (!state) throw new Error('no state')
  const stored = await readStored(world.ports, zerodha, state)
  const deadline = world.clock.now().add({ minutes: 1 })
  return brokerContext(
    { broker: zerodha, account, settings: {}, stored, deadline, totpStep: undefined },
    world.ports,
  )
}

const CALLS = {
  exchange: {
    path: '/session/token',
    make: async (requestToken = simulator.requestTokenFor('SIM001')): Promise<unknown> =>
      zerodha.login.code.exchange(await context(), { code: new Secret(requestToken), redirectUri: '' }),
  },
  renewal: {
    path: '/session/refresh_token',
    make: async (): Promise<unknown> => zerodha.grants[0].renew(await context()),
  },
  read: {
    path: '/user/profile',
    make: async (): Promise<unknown> =>
      zerodha.prove(await context(), new Secret(simulator.accessTokenFor('SIM001'))),
  },
}
type CallName = keyof typeof CALLS
const SESSION_CALLS = ['exchange', 'renewal'] as const
const ALL_CALLS = ['exchange', 'renewal', 'read'] as const

const errorOf = (work: () => Promise<unknown>) => thrownBy(work(), TokenkeeperError)

async function errorAfter(call: CallName, fault: SimulatedFault): Promise<TokenkeeperError> {
  server.failNext(CALLS[call].path, fault)
  return errorOf(() => CALLS[call].make())
}

function reply(status: number, errorType: string, message = 'canary of the broker'): SimulatedFault {
  const body = JSON.stringify({ status: 'error', message, error_type: errorType, data: null })
  return { kind: 'reply', status, body }
}

test('without a fault each call gives what it should', async () => {
  expect(await CALLS.exchange.make()).toMatchObject({ userId: 'SIM001' })
  expect(await CALLS.renewal.make()).toMatchObject({ userId: 'SIM001', refreshToken: expect.any(Secret) })
  expect(await CALLS.read.make()).toEqual({ userId: 'SIM001', clientName: 'SIM USER ONE' })
})

describe.each(SESSION_CALLS)('at the %s', (call) => {
  test.each(['Invalid `checksum`.', 'CHECKSUM mismatch'])(
    'TokenException with %j is a wrong API secret, not a dead token',
    async (message) => {
      const error = await errorAfter(call, reply(403, 'TokenException', message))
      expect(error).toMatchObject({ code: 'client_rejected', actor: 'operator' })
      expect(error.fix).toMatch(/API key and secret/)
    },
  )

  test('the real wrong secret meets it', async () => {
    await world.store(account, { client_secret: 'S3CRET-OF-ANOTHER-APP' })
    expect(await errorOf(() => CALLS[call].make())).toMatchObject({
      code: 'client_rejected',
      brokerCode: 'TokenException',
    })
  })

  test.each([403, 400, 200])(
    'TokenException with any other text and status %i wants a login',
    async (status) => {
      const error = await errorAfter(call, reply(status, 'TokenException'))
      expect(error).toMatchObject({ code: 'grant_rejected', brokerCode: 'TokenException' })
      expect(error.fix).toMatch(/^log in at Zerodha/)
    },
  )

  test('an unknown error type speaks against what was presented', async () => {
    expect(await errorAfter(call, reply(400, 'WhateverException'))).toMatchObject({ code: 'grant_rejected' })
  })

  test.each([
    [500, KITE_FAULTS[500]],
    [502, KITE_FAULTS[502]],
    [503, KITE_FAULTS[503]],
    [504, KITE_FAULTS[504]],
    ['a 500 that blames the token', reply(500, 'TokenException')],
    ['a 503 of an unknown type', reply(503, 'WhateverException')],
    ['an HTML 502', HTML_502],
    ['HTML with status 200', HTML_200],
    ['JSON without an error type', { kind: 'reply', status: 200, body: '{"status":"error"}' }],
    ['a lost reply', { kind: 'lost_reply' }],
    ['a reset', { kind: 'reset' }],
    ['half a reply', { kind: 'truncated' }],
  ] as const)('%s is ambiguous: what was presented may be spent', async (_, fault) => {
    expect(await errorAfter(call, fault)).toMatchObject({ code: 'ambiguous', retryable: false })
    expect(server.count(CALLS[call].path)).toBe(1)
  })

  test('a passing fault under a 4xx status is ambiguous as well: body before status', async () => {
    expect(await errorAfter(call, reply(400, 'NetworkException'))).toMatchObject({ code: 'ambiguous' })
  })

  test.each([
    {},
    { user_id: 'SIM001' },
    { user_id: 'SIM001', access_token: '' },
    { user_id: '', access_token: 'simkiteaccesstoken0000000000001' },
  ])('success with %j is a changed contract', async (data) => {
    const body = JSON.stringify({ status: 'success', data })
    expect(await errorAfter(call, { kind: 'reply', status: 200, body })).toMatchObject({
      code: 'response_unexpected',
      status: 200,
    })
  })
})

describe('at the exchange', () => {
  test('a request token that is spent, too old or invented wants a new login', async () => {
    const spent = simulator.requestTokenFor('SIM001')
    await CALLS.exchange.make(spent)
    const old = simulator.requestTokenFor('SIM001')
    world.clock.advance({ minutes: 6 })
    for (const token of [spent, old, 'invented-request-token']) {
      expect(await errorOf(() => CALLS.exchange.make(token))).toMatchObject({
        code: 'grant_rejected',
        fix: 'log in at Zerodha again',
      })
    }
  })

  test('an empty refresh token is none', async () => {
    delete simulator.behaviour.approvedPlatform
    const renewal = (await CALLS.exchange.make()) as Renewal
    expect(renewal.accessToken.length).toBe(32)
    expect('refreshToken' in renewal).toBe(false)
  })
})

describe('at the profile call', () => {
  test('TokenException is a dead session', async () => {
    const token = simulator.accessTokenFor('SIM001')
    simulator.masterLogout('SIM001')
    const error = await errorOf(async () => zerodha.prove(await context(), new Secret(token)))
    expect(error).toMatchObject({ code: 'grant_rejected', message: 'Zerodha says the token is dead' })
  })

  test('an unknown error type says nothing about the token', async () => {
    expect(await errorAfter('read', reply(400, 'WhateverException'))).toMatchObject({
      code: 'response_unexpected',
      fix: expect.stringContaining('report it'),
    })
  })

  test.each([
    [500, KITE_FAULTS[500]],
    [502, KITE_FAULTS[502]],
    [503, KITE_FAULTS[503]],
    [504, KITE_FAULTS[504]],
    ['a 500 that blames the token', reply(500, 'TokenException')],
    ['a 503 of an unknown type', reply(503, 'WhateverException')],
    ['an HTML 502', HTML_502],
    ['HTML with status 200', HTML_200],
    ['a passing fault with status 400', reply(400, 'NetworkException')],
    ['JSON without an error type', { kind: 'reply', status: 403, body: '{"message":"no"}' }],
    ['an empty error type', reply(403, '')],
    ['a lost reply', { kind: 'lost_reply' }],
  ] as const)('%s passes by itself', async (_, fault) => {
    expect(await errorAfter('read', fault)).toMatchObject({ code: 'broker_unavailable', retryable: true })
  })

  test('success without a user is a changed contract', async () => {
    const body = '{"status":"success","data":{"user_name":"SIM USER ONE"}}'
    expect(await errorAfter('read', { kind: 'reply', status: 200, body })).toMatchObject({
      code: 'response_unexpected',
      field: 'data.user_id',
    })
  })
})

describe.each(ALL_CALLS)('at every call, such as the %s,', (call) => {
  test.each([
    [403, 'PermissionException', /permissions/],
    [403, 'GeneralException', /permissions/],
    [400, 'InputException', /API key/],
    [404, 'GeneralException', /hosts/],
    [404, 'TokenException', /hosts/],
    [405, 'InputException', /hosts/],
  ])('%i with %s is the operator’s', async (status, errorType, fix) => {
    const error = await errorAfter(call, reply(status, errorType))
    expect(error).toMatchObject({ code: 'client_rejected', brokerCode: errorType })
    expect(error.fix).toMatch(fix)
  })

  test.each([
    ['an HTML 403', { kind: 'reply', status: 403, body: '<html>Forbidden</html>' }],
    ['an HTML 404', { kind: 'reply', status: 404, body: '<html>Not Found</html>' }],
    ['JSON that Kite did not write', { kind: 'reply', status: 403, body: '{"message":"Forbidden"}' }],
  ] as const)('%s is an edge page, which spends nothing', async (_, fault) => {
    expect(await errorAfter(call, fault)).toMatchObject({ code: 'broker_unavailable' })
  })

  test('a 429 waits a minute, or as long as it says', async () => {
    expect(await errorAfter(call, KITE_FAULTS[429])).toMatchObject({
      code: 'rate_limited',
      retryAfterSeconds: 60,
    })
    const hint: SimulatedFault = { kind: 'reply', status: 429, body: '', headers: { 'retry-after': '7' } }
    expect(await errorAfter(call, hint)).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 7 })
  })

  test('a redirect is refused', async () => {
    const fault: SimulatedFault = {
      kind: 'reply',
      status: 302,
      body: '',
      headers: { location: 'https://example.invalid' },
    }
    expect(await errorAfter(call, fault)).toMatchObject({ code: 'response_unexpected', field: 'location' })
  })

  test('what cannot be reached has spent nothing', async () => {
    world.ports = { ...world.ports, hosts: { ZERODHA_API: 'http://127.0.0.1:9' } }
    expect(await errorOf(() => CALLS[call].make())).toMatchObject({ code: 'broker_unavailable', sent: false })
  })

  test('no error repeats a secret or a word of the broker', async () => {
    const requestToken = simulator.requestTokenFor('SIM001')
    const refreshToken = (await world.stored(account, 'refresh_token')) ?? ''
    const echo = `canary ${requestToken} ${refreshToken} ${APP.secret}`
    const faults: SimulatedFault[] = [
      ...[400, 403, 404, 500].flatMap((status) => [
        reply(status, 'TokenException', echo),
        reply(status, 'TokenException', `${echo} checksum`),
        reply(status, 'InputException', echo),
        reply(status, `canary ${requestToken}`, echo),
      ]),
      { kind: 'reply', status: 200, body: JSON.stringify({ status: 'success', data: { canary: echo } }) },
      { kind: 'reply', status: 502, body: `<html>${echo}</html>` },
      { kind: 'lost_reply' },
    ]
    for (const fault of faults) {
      server.failNext(CALLS[call].path, fault)
      const error = await errorOf(() =>
        call === 'exchange' ? CALLS.exchange.make(requestToken) : CALLS[call].make(),
      )
      const said = [
        error.message,
        error.fix,
        error.brokerCode,
        inspect(error, { depth: 9 }),
        JSON.stringify(error),
      ]
      const leaked = ['canary', requestToken, refreshToken, APP.secret].filter((secret) =>
        said.join('\n').includes(secret),
      )
      expect(leaked).toEqual([])
    }
  })
})
