import type { Temporal } from 'temporal-polyfill'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { helpFor } from '../../lib/accounts/needs.ts'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import type { AccountResult } from '../../lib/model/outcome.ts'
import { UpstoxSimulator } from '../../lib/simulators/upstox/upstox-simulator.ts'
import { handIn } from '../support/hand-in.ts'
import { World } from '../support/world.ts'

const APP = {
  clientId: 'sim-api-key',
  secret: 'S3CRET-UPSTOX-APP',
  redirectUri: 'https://example.invalid/cb',
}
const USERS = ['SIM001', 'SIM002'].map((userId) => ({ userId, name: `USER ${userId}` }))

let world: World
let broker: UpstoxSimulator
let account: AccountId

beforeEach(async () => {
  world = new World('2026-11-23T08:00:00+05:30')
  broker = new UpstoxSimulator(world.clock, APP, USERS)
  await world.serve(broker)
  account = await world.account('upstox/ACC1', {})
})
afterEach(() => world.close())

function adopt(token: string, id: AccountId = account, expiresAt?: Temporal.Instant): Promise<AccountResult> {
  return handIn(world, { broker: upstox, account: id, accessToken: token, expiresAt })
}

test('a token that proves live is published and ends the wait for a login, once', async () => {
  await world.run(upstox)
  expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed'])
  const token = broker.accessTokenFor('SIM001')
  expect(await adopt(token)).toMatchObject({
    outcome: 'refreshed',
    userID: 'SIM001',
    tokenValidity: '2026-11-24T03:30:00+05:30',
  })
  expect(await world.stored(account, 'access_token')).toBe(token)
  expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed', 'solved'])
  const state = await world.ports.states.get(account)
  expect(state).toMatchObject({
    generation: 1,
    accessToken: { source: 'given' },
    last: { outcome: 'refreshed' },
  })
  expect(state?.lease).toBeUndefined()
  expect(state?.incident).toBeUndefined()
  const { report } = await world.run(upstox)
  expect(report.results).toMatchObject([{ outcome: 'fresh' }])
})

test('a token that proves live and dies before the open is published, and the login stays asked for', async () => {
  await world.run(upstox)
  const expiresAt = world.at('2026-11-23T09:14:00+05:30')
  expect(await adopt(broker.accessTokenFor('SIM001'), account, expiresAt)).toMatchObject({
    outcome: 'refreshed',
    tokenValidity: '2026-11-23T09:14:00+05:30',
  })
  expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed'])
  const state = await world.ports.states.get(account)
  expect(state && helpFor(upstox, state, world.clock.now())).toBe('login')
  world.clock.advance({ minutes: 15 })
  expect((await world.run(upstox)).report.results).toMatchObject([{ outcome: 'awaiting_login', live: true }])
  await adopt(broker.accessTokenFor('SIM001'))
  expect(world.alerts.map(({ title }) => title.split(':')[0])).toEqual(['Log in', 'Still open', 'Solved'])
})

test('a token for an open market solves what was asked for, however short it lives', async () => {
  world.clock.set('2026-11-23T10:00:00+05:30')
  await world.run(upstox)
  await adopt(broker.accessTokenFor('SIM001'), account, world.at('2026-11-23T11:00:00+05:30'))
  expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed', 'solved'])
})

test.each([
  ['a dead one', (): string => 'sim.dead.token-value', 'grant_rejected'],
  ['an error text', (): string => 'Error: no session', 'response_unexpected'],
  ["another user's", (): string => broker.accessTokenFor('SIM002'), 'wrong_account'],
])('%s is refused and nothing changes', async (_, token, code) => {
  const before = broker.accessTokenFor('SIM001')
  await adopt(before)
  const record = await world.ports.states.get(account)
  await expect(adopt(token())).rejects.toMatchObject({ code })
  expect(await world.stored(account, 'access_token')).toBe(before)
  const after = await world.ports.states.get(account)
  expect({ ...after, revision: 0 }).toEqual({ ...record, revision: 0 })
})

test('an account nobody has set up is not made by a slip of the pen', async () => {
  const typo = 'upstox/ACC11' as AccountId
  await expect(adopt(broker.accessTokenFor('SIM001'), typo)).rejects.toMatchObject({
    code: 'configuration_invalid',
  })
  expect(await world.ports.states.get(typo)).toBeUndefined()
})

test('it waits for nobody who is working on the account, and says until when', async () => {
  const until = world.clock.now().add({ seconds: 90 })
  await world.change(account, { lease: { owner: 'another run', until } })
  await expect(adopt(broker.accessTokenFor('SIM001'))).rejects.toMatchObject({
    code: 'busy',
    retryAfterSeconds: 90,
  })
})

test('a refused refresh token stays blocked after a token was handed in', async () => {
  const block = { code: 'grant_rejected', reason: 'refused', stamps: {}, forcible: false } as const
  await world.change(account, { blocks: { upstream: block } })
  await adopt(broker.accessTokenFor('SIM001'))
  expect((await world.ports.states.get(account))?.blocks).toEqual({ upstream: block })
})
