import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { type AccountState, changed } from '../../../lib/model/account-state.ts'
import { StateStoreError, TokenVaultError } from '../../../lib/model/errors.ts'
import { Secret } from '../../../lib/model/secret.ts'
import type { Audience } from '../../../lib/ports/audience.ts'
import type { Broker } from '../../../lib/ports/broker.ts'
import type { StateStore } from '../../../lib/ports/state-store.ts'
import { adoptAccessToken } from '../../../lib/tokens/service/adopt.ts'
import { LoginWorld, success } from '../../support/login-world.ts'

let world: LoginWorld
let account: AccountId
let heard: string[]

beforeEach(async () => {
  world = await LoginWorld.open()
  account = await world.loginAccount()
  heard = []
  const audience: Audience = {
    name: 'listener',
    published: async ({ generation }) => void heard.push(`published ${generation}`),
    withdrawn: async () => undefined,
  }
  world.ports = { ...world.ports, audiences: [audience] }
})
afterEach(() => world.close())

/** The store fails once, at the first write that is `wanted`. */
function failOnce(wanted: (next: AccountState) => boolean): { readonly happened: boolean } {
  const { states } = world.ports
  const fault = { happened: false }
  const failing: StateStore = {
    list: (broker) => states.list(broker),
    get: (one) => states.get(one),
    remove: (one) => states.remove(one),
    async replace(next) {
      if (fault.happened || !wanted(next)) return states.replace(next)
      fault.happened = true
      throw new StateStoreError('the table is away for a moment', { fix: 'wait' })
    },
  }
  world.ports = { ...world.ports, states: failing }
  return fault
}

const isRelease = (next: AccountState): boolean => next.lease === undefined

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
    const fault = failOnce((next) => next.approval !== undefined && next.lease !== undefined)
    const { report } = await world.run(asking)
    expect(report.results).toMatchObject([{ outcome: 'awaiting_login' }])
    expect(world.alerts.slice(before).map(({ kind }) => kind)).toEqual(['login_needed'])
    expect((await world.record(account)).lease).toBeUndefined()
    expect((await world.logIn(account)).success).toBe(true)
    expect(fault.happened).toBe(true)
  })

  test('while a login is recorded, costs the login nothing', async () => {
    await world.run(world.broker)
    const fault = failOnce((next) => isRelease(next) && next.generation === 1)
    expect(await world.logIn(account)).toMatchObject({ success: true })
    expect(await world.record(account)).toMatchObject({ generation: 1, userId: 'SIM001' })
    expect(heard).toEqual(['published 1'])
    await world.run(world.broker)
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed', 'solved'])
    expect(fault.happened).toBe(true)
  })

  test('while an approval is recorded, costs the approval nothing', async () => {
    await world.logIn(account)
    success(await world.desk.requestApproval({ account }))
    const fault = failOnce((next) => isRelease(next) && next.generation === 2)
    await world.desk.acceptApproval({ account, body: world.simulator.webhookOf('SIM001') })
    expect(await world.record(account)).toMatchObject({
      generation: 2,
      approval: { approvedAt: expect.anything() },
    })
    expect(heard).toEqual(['published 1', 'published 2'])
    expect(fault.happened).toBe(true)
  })

  test('while a token that was handed in is recorded, costs it nothing', async () => {
    const fault = failOnce((next) => isRelease(next) && next.generation === 1)
    await adopt()
    expect(await world.record(account)).toMatchObject({ generation: 1 })
    expect(heard).toEqual(['published 1'])
    expect(fault.happened).toBe(true)
  })
})

test('a refresh token that was issued at a login and could not be saved pages somebody at once', async () => {
  const { vault } = world.ports
  world.ports = {
    ...world.ports,
    vault: {
      read: (one, names) => vault.read(one, names),
      remove: (one, name) => vault.remove(one, name),
      async write(one, name, value, options) {
        if (name !== 'refresh_token') return vault.write(one, name, value, options)
        throw new TokenVaultError('SSM is away', { during: 'write', fix: 'wait' })
      },
    },
  }
  expect(await world.logIn(account)).toMatchObject({ success: false, code: 'token_lost' })
  expect(world.alerts).toMatchObject([{ kind: 'token_lost', severity: 'page' }])
  expect(world.counts.get('loginbroker TokenLost')).toBe(1)
  expect((await world.record(account)).incident).toMatchObject({ kind: 'token_lost' })
})

test('an approval waits for the run that holds the account', async () => {
  await world.logIn(account)
  success(await world.desk.requestApproval({ account }))
  const record = await world.record(account)
  const until = world.clock.now().add({ seconds: 20 })
  await world.ports.states.replace(changed(record, { lease: { owner: 'run-1', until } }))
  await world.desk.acceptApproval({ account, body: world.simulator.webhookOf('SIM001') })
  expect((await world.record(account)).generation).toBe(2)
})

test('an approval request that was never sent does not count', async () => {
  await world.logIn(account)
  const { vault } = world.ports
  let reads = 0
  world.ports = {
    ...world.ports,
    vault: {
      write: (one, name, value, options) => vault.write(one, name, value, options),
      remove: (one, name) => vault.remove(one, name),
      async read(one, names) {
        reads += 1
        if (reads === 2) throw new TokenVaultError('SSM is away', { during: 'read', fix: 'wait' })
        return vault.read(one, names)
      },
    },
  }
  expect(await world.desk.requestApproval({ account })).toMatchObject({ refused: true })
  expect(await world.record(account)).toMatchObject({ approvalRequests: [] })
  expect((await world.record(account)).approval).toBeUndefined()
  success(await world.desk.requestApproval({ account }))
})

test('a token handed in for a paused account is kept out of the mirrors', async () => {
  const record = await world.record(account)
  await world.ports.states.replace(changed(record, { paused: { since: world.clock.now() } }))
  await adopt()
  expect(await world.record(account)).toMatchObject({ generation: 1 })
  expect(heard).toEqual([])
})

function adopt() {
  return adoptAccessToken(
    {
      broker: world.broker,
      account,
      accessToken: new Secret(world.simulator.openFamily('SIM001').access),
    },
    world.ports,
  )
}
