import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fyers } from '../../../lib/brokers/fyers/fyers.ts'
import { appIdHash } from '../../../lib/brokers/fyers/login.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import { FyersSimulator } from '../../../lib/simulators/fyers/fyers-simulator.ts'
import { HTML_200, HTML_502 } from '../../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { World } from '../../support/world.ts'

const APP = { clientId: 'ABCDEFGH12-100', secret: 'S3CRET-FYERS-APP' }
const USER = { fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' }

let world: World
let simulator: FyersSimulator
let server: SimulatorServer
let account: AccountId

beforeEach(async () => {
  world = new World('2026-11-23T07:00:00+05:30')
  simulator = new FyersSimulator(world.clock, APP, [USER])
  server = await world.serve(simulator)
  account = await world.account('fyers', {
    client_id: APP.clientId,
    client_secret: APP.secret,
    pin: USER.pin,
    refresh_token: simulator.refreshTokenFor(USER.fyId, 1),
  })
})

afterEach(() => world.close())

const only = () => world.runOne(fyers)

describe('appIdHash', () => {
  test.each([
    ['ABCDEFGH12-100', 'S3CRET', 'b36c4fe3df6420f8a81bb56200bfbcedfdabecdc72cc9677d06c0467b8c7c56f'],
    ['ABC-100', 'S', 'bc263c9ed3cf810f0f9c3f188524683def3f799e2146d5f4ecc46aa82a3efc04'],
  ])('R3.4 of %s is the published vector', (clientId, secret, hash) => {
    expect(appIdHash(new Secret(clientId), new Secret(secret))).toBe(hash)
  })
})

describe('R3.2 a refresh with refresh token and PIN', () => {
  test('R3.5 publishes a token that the profile call proved and that dies at 06:00 IST', async () => {
    expect(await only()).toMatchObject({
      outcome: 'refreshed',
      userID: 'XX00001',
      clientName: 'SIM USER ONE',
      tokenValidity: '2026-11-24T06:00:00+05:30',
    })
    const published = await world.stored(account, 'access_token')
    expect(published).toMatch(/^ey/)
    expect(server.count('/api/v3/profile')).toBe(1)
  })

  test('a second run finds it fresh and calls nobody', async () => {
    await only()
    const before = server.seen.length
    expect(await only()).toMatchObject({ outcome: 'fresh', success: true })
    expect(server.seen.length).toBe(before)
  })

  test('R3.6 deleting the access token forces a refresh', async () => {
    await only()
    await world.ports.vault.remove(account, 'access_token')
    world.clock.advance({ minutes: 2 })
    expect(await only()).toMatchObject({ outcome: 'refreshed', reason: 'no access token is stored' })
  })

  test('keeps the stored refresh token when the reply has none, and stores one if it ever comes', async () => {
    const before = await world.stored(account, 'refresh_token')
    await only()
    expect(await world.stored(account, 'refresh_token')).toBe(before)
    simulator.behaviour.rotates = true
    world.clock.set('2026-11-24T07:00:00+05:30')
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(await world.stored(account, 'refresh_token')).not.toBe(before)
  })
})

describe('R3.8 a refused refresh becomes a login request, never a crash', () => {
  test.each([
    [-501, 200],
    [-9999, 400],
    [-16, 401],
  ] as const)('refresh withdrawn with code %i and status %i', async (code, status) => {
    simulator.behaviour.refreshWithdrawn = { code, status }
    expect(await only()).toMatchObject({ outcome: 'awaiting_login', success: false })
    expect(world.alerts).toHaveLength(1)
    expect(world.alerts[0]).toMatchObject({ kind: 'login_needed', account: 'fyers' })
  })

  test('the person is asked once, and the PIN is not sent again until something changes', async () => {
    await world.store(account, { pin: '9999' })
    await only()
    world.clock.advance({ hours: 1 })
    expect(await only()).toMatchObject({ outcome: 'awaiting_login' })
    await world.run(fyers, { force: true })
    expect(simulator.refreshes).toBe(1)
    expect(world.alerts).toHaveLength(1)
  })

  test('a corrected PIN is tried, and the person is told that it is over', async () => {
    await world.store(account, { pin: '9999' })
    await only()
    world.clock.advance({ minutes: 5 })
    await world.store(account, { pin: USER.pin })
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed', 'solved'])
  })

  test('an expired refresh token is not sent at all', async () => {
    await only()
    world.clock.set('2026-12-21T07:00:00+05:30')
    await world.store(account, { refresh_token: simulator.refreshTokenFor(USER.fyId, 16) })
    const before = simulator.refreshes
    expect(await only()).toMatchObject({ outcome: 'awaiting_login' })
    expect(simulator.refreshes).toBe(before)
  })
})

test('an account whose holder switched refresh off asks a person and sends no PIN', async () => {
  const settings = { options: { refresh: 'off' } }
  await world.change(account, { settings })
  expect(await only()).toMatchObject({ outcome: 'awaiting_login' })
  expect(simulator.refreshes).toBe(0)
})

describe('other replies', () => {
  test('a wrong app secret is the operator’s to fix and is not repeated that day', async () => {
    await world.store(account, { client_secret: 'S3CRET-OF-ANOTHER' })
    expect(await only()).toMatchObject({ outcome: 'failed', code: 'client_rejected' })
    world.clock.advance({ minutes: 30 })
    await only()
    expect(simulator.refreshes).toBe(1)
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['operator_action'])
  })

  test('a passing HTML 502 is tried again within the run and pages nobody', async () => {
    server.failNext('/api/v3/validate-refresh-token', HTML_502)
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(world.alerts).toHaveLength(0)
  })

  test('HTML with status 200 changes nothing that is stored', async () => {
    await only()
    const before = await world.stored(account, 'access_token')
    world.clock.set('2026-11-24T07:00:00+05:30')
    for (let i = 0; i < 3; i++) server.failNext('/api/v3/validate-refresh-token', HTML_200)
    expect(await only()).toMatchObject({ outcome: 'failed' })
    expect(await world.stored(account, 'access_token')).toBe(before)
  })

  test('no secret is said anywhere', async () => {
    simulator.behaviour.refreshWithdrawn = { code: -501, status: 200 }
    const refreshToken = await world.stored(account, 'refresh_token')
    await only()
    for (const secret of [APP.secret, refreshToken as string]) expect(world.said()).not.toContain(secret)
  })
})
