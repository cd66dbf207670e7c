import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fyers } from '../../../lib/brokers/fyers/fyers.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { FyersSimulator } from '../../../lib/simulators/fyers/fyers-simulator.ts'
import { World } from '../../support/world.ts'

const APP = { clientId: 'ABCDEFGH12-100', secret: 'S3CRET-FYERS-APP' }
const TODAY = '2026-11-23T07:00:00+05:30'

let world: World
let simulator: FyersSimulator
let account: AccountId

beforeEach(async () => {
  // A rehearsal a month ahead, on the same store.
  world = new World('2026-12-23T07:00:00+05:30')
  simulator = new FyersSimulator(world.clock, APP, [{ fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' }])
  await world.serve(simulator)
  account = await world.account('fyers', {
    client_id: APP.clientId,
    client_secret: APP.secret,
    pin: '0412',
    refresh_token: simulator.refreshTokenFor('XX00001'),
  })
})

afterEach(() => world.close())

describe('what a clock that was ahead has written', () => {
  test('is no proof: the token is asked again and renewed, and no attempt from the future is in the way', async () => {
    expect((await world.run(fyers)).report.refreshed).toBe(1)
    world.clock.set(TODAY)
    simulator.killAccessToken('XX00001')
    expect((await world.run(fyers)).report.results).toMatchObject([
      { outcome: 'refreshed', tokenValidity: '2026-11-24T06:00:00+05:30' },
    ])
  })

  test('mutes no consumer: a proof from the future is none', async () => {
    world.clock.set(TODAY)
    await world.run(fyers)
    const { accessToken } = await world.record(account)
    const provenAt = world.clock.now().add({ hours: 3 })
    await world.change(account, {
      accessToken: accessToken && { ...accessToken, provenAt },
    })
    simulator.killAccessToken('XX00001')
    world.clock.advance({ minutes: 2 })
    const { report } = await world.run(fyers, { accounts: [account], reported: { generation: 1 } })
    expect(report.results).toMatchObject([{ outcome: 'refreshed' }])
  })

  test('does not hold the account: neither its lease nor a wait', async () => {
    const ahead = world.clock.now().add({ minutes: 5 })
    await world.change(account, {
      lease: { owner: 'from-the-future', until: ahead },
      notBefore: ahead,
    })
    world.clock.set(TODAY)
    expect((await world.run(fyers)).report.results).toMatchObject([{ outcome: 'refreshed' }])
  })
})

test('advice names the account that failed, not the broker', async () => {
  const further = await world.account('fyers/second', {
    client_id: APP.clientId,
    client_secret: 'S3CRET-OF-ANOTHER',
    pin: '0412',
    refresh_token: simulator.refreshTokenFor('XX00001'),
  })
  const first = await world.run(fyers, { accounts: [further] })
  expect(first.report.results[0]?.nextAction).toContain('tokenkeeper setup fyers/second')
  world.clock.advance({ minutes: 5 })
  expect((await world.run(fyers, { accounts: [further] })).report.results[0]?.nextAction).toContain(
    'setup fyers/second',
  )
  expect(JSON.stringify(world.alerts)).toContain('setup fyers/second')
  await world.ports.vault.remove(further, 'client_secret')
  world.clock.advance({ minutes: 5 })
  expect((await world.run(fyers, { accounts: [further] })).report.results[0]?.nextAction).toContain(
    'setup fyers/second',
  )
  expect(world.said()).not.toContain('{account}')
})
