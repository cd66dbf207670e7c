import { Temporal } from 'temporal-polyfill'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { kiteChecksum } from '../../../lib/brokers/zerodha/session.ts'
import { zerodha } from '../../../lib/brokers/zerodha/zerodha.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { expiryOf } from '../../../lib/model/expiry/session-model.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import { HTML_200, HTML_502 } from '../../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { KITE_FAULTS } from '../../../lib/simulators/zerodha/replies.ts'
import { ZerodhaSimulator } from '../../../lib/simulators/zerodha/zerodha-simulator.ts'
import { handIn } from '../../support/hand-in.ts'
import { recorded } from '../../support/recorded.ts'
import { World } from '../../support/world.ts'

const APP = {
  apiKey: 'kiteapikey123',
  secret: 'S3CRET-KITE-APP',
  redirectUrl: 'https://example.invalid/callback/zerodha',
}
const USER = { userId: 'SIM001', name: 'SIM USER ONE' }
const PROFILE = '/user/profile'
const RENEWAL = '/session/refresh_token'

let world: World
let simulator: ZerodhaSimulator
let server: SimulatorServer
let account: AccountId

beforeEach(async () => {
  world = new World('2026-11-23T07:00:00+05:30')
  simulator = new ZerodhaSimulator(world.clock, { ...APP }, [
    USER,
    { userId: 'SIM002', name: 'SIM USER TWO' },
  ])
  server = await world.serve(simulator)
  account = await world.account('zerodha', { client_id: APP.apiKey, client_secret: APP.secret })
})

afterEach(() => world.close())

const put = (accessToken: string) => handIn(world, { broker: zerodha, account, accessToken })

const only = () => world.runOne(zerodha)

/** Hands in a token as `tokenkeeper put` does. */

describe('the checksum', () => {
  test.each([
    ['a request token', 'reqtoken456', '8f0ccc445386cd621a8ddd4def62480cbf4e501aa54443f5fc3e09e11f3e134d'],
    ['a refresh token', 'reftoken789', '602e9a3071d009e7db2ce1ea15cb986e0e0e509b148c0c4f6bac3d2d62d24fb5'],
  ])('of %s is the published vector', (_, presented, checksum) => {
    const [apiKey, apiSecret] = [new Secret('kiteapikey123'), new Secret('S3CRET')]
    expect(kiteChecksum(apiKey, new Secret(presented), apiSecret)).toBe(checksum)
  })
})

describe('an access token dies at 06:00 IST', () => {
  test.each([
    ['of the next morning', '13:57:47', '2026-09-12T13:57:47+05:30', '2026-09-13T06:00:00+05:30'],
    ['of the same morning', '02:30', '2026-09-12T02:30:00+05:30', '2026-09-12T06:00:00+05:30'],
    ['of the next morning', '06:00 sharp', '2026-09-12T06:00:00+05:30', '2026-09-13T06:00:00+05:30'],
  ])('%s after a login at %s', (_day, _time, issuedAt, diesAt) => {
    const issued = { token: new Secret('simkiteaccesstoken0000000000001'), at: world.at(issuedAt) }
    const { expiresAt, decidedBy } = expiryOf(zerodha.session.accessToken, issued)
    expect(expiresAt).toEqual(world.at(diesAt))
    expect(decidedBy).toBe('06:00 Asia/Kolkata')
  })

  test('which is the published vector', () => {
    const at = Temporal.Instant.from('2026-09-12T13:57:47+05:30')
    const { expiresAt } = expiryOf(zerodha.session.accessToken, { token: new Secret('opaque-token'), at })
    expect(expiresAt.epochMilliseconds).toBe(1_789_259_400_000)
  })
})

describe('an ordinary app', () => {
  test('has nothing to renew with: a person is asked, once, and Zerodha is not called', async () => {
    expect(await only()).toMatchObject({
      outcome: 'awaiting_login',
      nextAction: expect.stringContaining('log in at Zerodha'),
    })
    world.clock.advance({ minutes: 15 })
    expect(await only()).toMatchObject({ outcome: 'awaiting_login' })
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed'])
    expect(server.seen).toEqual([])
  })

  test('keeps a token that was handed in until 06:00, and is asked for the next one after that', async () => {
    expect(await put(simulator.accessTokenFor('SIM001'))).toMatchObject({
      userID: 'SIM001',
      clientName: 'SIM USER ONE',
      tokenValidity: '2026-11-24T06:00:00+05:30',
    })
    world.clock.set('2026-11-23T15:00:00+05:30')
    expect(await only()).toMatchObject({ outcome: 'fresh' })
    world.clock.set('2026-11-25T06:30:00+05:30')
    expect(await only()).toMatchObject({ outcome: 'awaiting_login' })
  })

  test('is asked on the same morning after a login in the night, which the morning ends', async () => {
    world.clock.set('2026-11-25T02:30:00+05:30')
    await put(simulator.accessTokenFor('SIM001'))
    expect((await world.ports.states.get(account))?.accessToken?.expiresAt).toEqual(
      world.at('2026-11-25T06:00:00+05:30'),
    )
    world.clock.set('2026-11-25T06:30:00+05:30')
    expect(await only()).toMatchObject({ outcome: 'awaiting_login' })
  })

  test('sends the profile call with version and both halves of its credential', async () => {
    const sent = recorded(world)
    const token = simulator.accessTokenFor('SIM001')
    await put(token)
    expect(sent.map(({ method, url, headers }) => [method, new URL(url).pathname, headers])).toEqual([
      [
        'GET',
        PROFILE,
        expect.objectContaining({ 'x-kite-version': '3', authorization: `token ${APP.apiKey}:${token}` }),
      ],
    ])
  })

  test('does not take a token that a master logout has ended', async () => {
    const token = simulator.accessTokenFor('SIM001')
    simulator.masterLogout('SIM001')
    await expect(put(token)).rejects.toMatchObject({
      code: 'grant_rejected',
    })
    expect(await world.stored(account, 'access_token')).toBeUndefined()
  })
})

describe('an approved platform', () => {
  beforeEach(async () => {
    simulator.behaviour.approvedPlatform = 'rotating'
    await world.store(account, { refresh_token: simulator.refreshTokenFor('SIM001') })
  })

  test('renews unattended, saves the rotated refresh token and proves before it publishes', async () => {
    const before = await world.stored(account, 'refresh_token')
    const sent = recorded(world)
    expect(await only()).toMatchObject({
      outcome: 'refreshed',
      userID: 'SIM001',
      tokenValidity: '2026-11-24T06:00:00+05:30',
    })
    expect(await world.stored(account, 'refresh_token')).not.toBe(before)
    expect(sent.map(({ url }) => new URL(url).pathname)).toEqual([RENEWAL, PROFILE])
    expect(sent[0]?.headers).toMatchObject({
      'x-kite-version': '3',
      'content-type': 'application/x-www-form-urlencoded',
    })
    const form = Object.fromEntries(new URLSearchParams(sent[0]?.body))
    const presented = new Secret(before ?? '')
    expect(form).toEqual({
      api_key: APP.apiKey,
      refresh_token: before,
      checksum: kiteChecksum(new Secret(APP.apiKey), presented, new Secret(APP.secret)),
    })
    world.clock.set('2026-11-24T06:15:00+05:30')
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
  })

  test('keeps a refresh token that does not rotate', async () => {
    simulator.behaviour.approvedPlatform = 'static'
    const before = await world.stored(account, 'refresh_token')
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(await world.stored(account, 'refresh_token')).toBe(before)
  })

  test('keeps the refresh token when the reply has an empty one', async () => {
    const before = await world.stored(account, 'refresh_token')
    const data = { user_id: 'SIM001', access_token: simulator.accessTokenFor('SIM001'), refresh_token: '' }
    const body = JSON.stringify({ status: 'success', data })
    server.failNext(RENEWAL, { kind: 'reply', status: 200, body })
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(await world.stored(account, 'refresh_token')).toBe(before)
  })

  test('that is one no longer asks a person instead', async () => {
    delete simulator.behaviour.approvedPlatform
    expect(await only()).toMatchObject({ outcome: 'awaiting_login' })
    world.clock.advance({ minutes: 15 })
    await only()
    expect(server.count(RENEWAL)).toBe(1)
  })

  test.each([
    ['a lost reply', { kind: 'lost_reply' }],
    ['a reset', { kind: 'reset' }],
    ['an HTML 502', HTML_502],
    ['HTML with status 200', HTML_200],
    ['half a reply', { kind: 'truncated' }],
    ['a 500', KITE_FAULTS[500]],
    ['a 502', KITE_FAULTS[502]],
    ['a 503', KITE_FAULTS[503]],
    ['a 504', KITE_FAULTS[504]],
  ] as const)('never sends its refresh token again after %s: it may have rotated', async (_, fault) => {
    server.failNext(RENEWAL, fault)
    expect(await only()).toMatchObject({ outcome: 'ambiguous' })
    world.clock.advance({ minutes: 15 })
    expect(await only()).toMatchObject({ outcome: 'awaiting_login' })
    expect(server.count(RENEWAL)).toBe(1)
  })

  test('waits out a 429, which has spent nothing', async () => {
    server.failNext(RENEWAL, KITE_FAULTS[429])
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(server.count(RENEWAL)).toBe(2)
    expect(world.alerts).toHaveLength(0)
  })

  test('with a wrong API secret is the operator’s to mend, and its refresh token is not called dead', async () => {
    await world.store(account, { client_secret: 'S3CRET-OF-ANOTHER-APP' })
    expect(await only()).toMatchObject({ outcome: 'failed', code: 'client_rejected' })
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['operator_action'])
    world.clock.advance({ minutes: 15 })
    await world.store(account, { client_secret: APP.secret })
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
  })

  test('says no secret and no token on any surface', async () => {
    const canaries = [APP.secret, (await world.stored(account, 'refresh_token')) ?? '']
    await only()
    for (const name of ['access_token', 'refresh_token'] as const) {
      canaries.push((await world.stored(account, name)) ?? '')
    }
    simulator.masterLogout('SIM001')
    delete simulator.behaviour.approvedPlatform
    world.clock.set('2026-11-24T06:15:00+05:30')
    await only()
    expect(canaries.every((canary) => canary.length > 8)).toBe(true)
    expect(canaries.filter((canary) => world.said().includes(canary))).toEqual([])
  })
})

describe('what setup takes', () => {
  const problemOf = (name: string, value: string): string | undefined =>
    zerodha.credentials
      .flatMap((field) => (field.name === name && 'problem' in field ? field.problem(value) : []))
      .at(0)

  test.each(['key with spaces', 'kite:key', 'kite\nkey'])('is no API key like %j', (value) =>
    expect(problemOf('client_id', value)).toBe('it must not hold spaces or a colon'),
  )

  test('is an API key, and a redirect URL only when it is whole', () => {
    expect(problemOf('client_id', APP.apiKey)).toBeUndefined()
    expect(problemOf('redirect_uri', APP.redirectUrl)).toBeUndefined()
    expect(problemOf('redirect_uri', 'example.invalid/callback')).toBe('it must be a whole URL')
  })
})
