import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { RotaWorld } from '../../support/rota-world.ts'
import { type RotabrokerSimulator, rotabroker } from '../../support/rotating-broker.ts'

let world: RotaWorld
let simulator: RotabrokerSimulator
let server: SimulatorServer

beforeEach(async () => {
  world = await RotaWorld.open()
  ;({ simulator, server } = world)
  await world.rotaAccount()
})

afterEach(() => world.close())

const result = () => world.runOne(rotabroker)

describe('the state table is out of reach', () => {
  test('no grant is spent when the lease cannot be taken', async () => {
    world.failNext('states.replace', { times: 'all' })
    expect(await result()).toMatchObject({ outcome: 'failed', code: 'state' })
    expect(server.count('/token')).toBe(0)
  })

  test('a lease whose answer was lost is ours, not another run’s', async () => {
    world.failNext('states.replace', { after: 'landed' })
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
  })

  test('a published token whose record was lost is adopted by the next run, not renewed again', async () => {
    const unreachable = world.failNext('states.replace', { skip: 1, times: 'all' })
    await world.run(rotabroker, { seconds: 60 })
    unreachable.stop()
    world.clock.advance({ minutes: 4 })
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
    expect(simulator.exchanges).toBe(1)
  })
})
