import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { RotaWorld } from '../../support/rota-world.ts'
import { type RotabrokerSimulator, rotabroker } from '../../support/rotating-broker.ts'

let world: RotaWorld
let simulator: RotabrokerSimulator
let server: SimulatorServer
let account: AccountId

beforeEach(async () => {
  world = await RotaWorld.open()
  ;({ simulator, server } = world)
  account = await world.rotaAccount()
})
afterEach(() => world.close())

const record = () => world.ports.states.get(account)

describe('a grant that was refused', () => {
  test('after it gave a token rests until the next day of the broker, and a person may force it', async () => {
    simulator.accessTokenOverride = 'SIMULATED-token-that-nobody-accepts'
    await world.run(rotabroker)
    expect((await record())?.blocks.refresh_token).toMatchObject({
      code: 'grant_rejected',
      until: world.at('2026-11-23T00:00:00-05:00'),
      forcible: true,
    })
    simulator.accessTokenOverride = undefined
    const { report } = await world.run(rotabroker, { force: true })
    expect(report.results).toMatchObject([{ outcome: 'refreshed' }])
  })

  test('itself rests until another refresh token is stored, whoever forces it', async () => {
    await world.store(account, { refresh_token: 'SIMULATED-spent-refresh-token' })
    await world.run(rotabroker)
    expect((await record())?.blocks.refresh_token).toMatchObject({ forcible: false })
    expect((await record())?.blocks.refresh_token).not.toHaveProperty('until')
    await world.run(rotabroker, { force: true })
    expect(simulator.grantsSeen).toBe(1)
  })
})

test('where a newer token ends no older one, a lost reply has the live token probed once, and the grant sent again', async () => {
  const lasting: Broker = {
    ...rotabroker,
    sessions: 'many',
    grants: rotabroker.grants.map((grant) => ({ ...grant, repeatsAfterAmbiguity: 1 })),
  }
  await world.run(lasting)
  world.clock.advance({ minutes: 25 })
  server.failNext('/token', { kind: 'reply', status: 502, body: '<html>' })
  const { report } = await world.run(lasting)
  expect(report.results).toMatchObject([{ outcome: 'ambiguous' }])
  const proofs = simulator.proofs
  world.clock.advance({ minutes: 1 })
  expect((await world.run(lasting)).report.results).toMatchObject([{ outcome: 'refreshed' }])
  // The old one, which still lived, and the new one.
  expect(simulator.proofs).toBe(proofs + 2)
  expect(simulator.exchanges).toBe(2)
})

test('a grant whose reply was lost is in doubt no longer once it gave a token, proven or not', async () => {
  const lasting: Broker = {
    ...rotabroker,
    sessions: 'many',
    grants: rotabroker.grants.map((grant) => ({ ...grant, repeatsAfterAmbiguity: 1 })),
  }
  server.failNext('/token', { kind: 'reply', status: 502, body: '<html>' })
  await world.run(lasting)
  expect(await record()).toMatchObject({ ambiguous: { grant: 'refresh_token' } })
  world.clock.advance({ minutes: 1 })
  // An answer to the proof that nobody knows is no verdict on the token.
  for (let i = 0; i < 20; i++) server.failNext('/me', { kind: 'reply', status: 404, body: '{}' })
  await world.run(lasting)
  const held = await record()
  expect(held).toMatchObject({ pending: { source: 'refresh_token' } })
  expect(held).not.toHaveProperty('ambiguous')
})

test('a renewal that has to wait is no failure while the published token lives', async () => {
  await world.run(rotabroker)
  world.clock.advance({ minutes: 25 })
  server.failNext('/token', { kind: 'reply', status: 429, body: '', headers: { 'retry-after': '3000' } })
  await world.run(rotabroker)
  world.clock.advance({ minutes: 1 })
  const { report } = await world.run(rotabroker)
  expect(report.results).toMatchObject([{ outcome: 'fresh', live: true }])
  expect(simulator.exchanges).toBe(1)
})
