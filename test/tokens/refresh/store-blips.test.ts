import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { AccountState } from '../../../lib/model/account-state.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { Subscriber } from '../../../lib/ports/subscriber.ts'
import { handIn } from '../../support/hand-in.ts'
import { LoginWorld, success } from '../../support/login-world.ts'

let world: LoginWorld
let account: AccountId
let heard: string[]

beforeEach(async () => {
  world = await LoginWorld.open()
  account = await world.loginAccount()
  heard = []
  const subscriber: Subscriber = {
    name: 'listener',
    onPublished: async ({ generation }) => void heard.push(`published ${generation}`),
    onWithdrawn: async () => undefined,
  }
  world.ports = { ...world.ports, subscribers: [subscriber] }
})
afterEach(() => world.close())

/** The write that gives the lease back with what has been published. */
const records = (next: AccountState, generation: number): boolean =>
  next.lease === undefined && next.generation === generation

describe('a store that fails for a moment', () => {
  test('while an approval request is noted, leaves the person told and the account free', async () => {
    await world.logIn(account)
    for (const name of ['refresh_token', 'access_token'] as const)
      await world.ports.vault.remove(account, name)
    world.clock.advance({ minutes: 1 })
    const before = world.alerts.length
    const { login } = world.broker
    if (!login?.approval) throw new Error('this broker has no approval')
    const asking: Broker = {
      ...world.broker,
      login: { ...login, approval: { ...login.approval, at: '06:30' } },
    }
    const fault = world.failNext('states.replace', {
      only: (next) => next.approval !== undefined && next.lease !== undefined,
    })
    const { report } = await world.run(asking)
    expect(report.results).toMatchObject([{ outcome: 'awaiting_login' }])
    expect(world.alerts.slice(before).map(({ kind }) => kind)).toEqual(['login_needed'])
    expect((await world.record(account)).lease).toBeUndefined()
    expect((await world.logIn(account)).success).toBe(true)
    expect(fault.count).toBe(1)
  })

  test('while a login is recorded, costs the login nothing', async () => {
    await world.run(world.broker)
    const fault = world.failNext('states.replace', { only: (next) => records(next, 1) })
    expect(await world.logIn(account)).toMatchObject({ success: true })
    expect(await world.record(account)).toMatchObject({ generation: 1, userId: 'SIM001' })
    expect(heard).toEqual(['published 1'])
    await world.run(world.broker)
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed', 'solved'])
    expect(fault.count).toBe(1)
  })

  test('while an approval is recorded, costs the approval nothing', async () => {
    await world.logIn(account)
    success(await world.logins.requestApproval({ account }))
    const fault = world.failNext('states.replace', { only: (next) => records(next, 2) })
    await world.logins.acceptApproval({ account, body: world.simulator.webhookOf('SIM001') })
    expect(await world.record(account)).toMatchObject({
      generation: 2,
      approval: { approvedAt: expect.anything() },
    })
    expect(heard).toEqual(['published 1', 'published 2'])
    expect(fault.count).toBe(1)
  })

  test('while a token that was handed in is recorded, costs it nothing', async () => {
    const fault = world.failNext('states.replace', { only: (next) => records(next, 1) })
    await adopt()
    expect(await world.record(account)).toMatchObject({ generation: 1 })
    expect(heard).toEqual(['published 1'])
    expect(fault.count).toBe(1)
  })
})

test('a refresh token that was issued at a login and could not be saved pages somebody at once', async () => {
  world.failNext('vault.write', { times: 'all', only: (_, name) => name === 'refresh_token' })
  expect(await world.logIn(account)).toMatchObject({ success: false, code: 'token_lost' })
  expect(world.alerts).toMatchObject([{ kind: 'token_lost', severity: 'page' }])
  expect(world.counts.get('loginbroker TokenLost')).toBe(1)
  expect((await world.record(account)).incident).toMatchObject({ kind: 'token_lost' })
})

test('an approval waits for the run that holds the account', async () => {
  await world.logIn(account)
  success(await world.logins.requestApproval({ account }))
  const until = world.clock.now().add({ seconds: 20 })
  await world.change(account, { lease: { owner: 'run-1', until } })
  await world.logins.acceptApproval({ account, body: world.simulator.webhookOf('SIM001') })
  expect((await world.record(account)).generation).toBe(2)
})

test('an approval request that was never sent does not count', async () => {
  await world.logIn(account)
  const fault = world.failNext('vault.read', { skip: 1 })
  expect(await world.logins.requestApproval({ account })).toMatchObject({ refused: true })
  expect(await world.record(account)).toMatchObject({ approvalRequests: [] })
  expect((await world.record(account)).approval).toBeUndefined()
  expect(fault.count).toBe(1)
  success(await world.logins.requestApproval({ account }))
})

test('a token handed in for a paused account is kept out of the mirrors', async () => {
  await world.change(account, { paused: { since: world.clock.now() } })
  await adopt()
  expect(await world.record(account)).toMatchObject({ generation: 1 })
  expect(heard).toEqual([])
})

function adopt() {
  const accessToken = world.simulator.openFamily('SIM001').access
  return handIn(world, { broker: world.broker, account, accessToken })
}
