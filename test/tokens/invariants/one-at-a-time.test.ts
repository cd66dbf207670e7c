import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { Ports } from '../../../lib/ports/ports.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { holdNext } from '../../support/held-request.ts'
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

const result = () => world.runOne(rotabroker)

describe('I3 at most one renewal of an account is in flight anywhere', () => {
  test('fifty runs at once make one exchange, and every one ends well', async () => {
    const runs = await Promise.all(Array.from({ length: 50 }, () => world.run(rotabroker)))
    expect(simulator.exchanges).toBe(1)
    expect(simulator.reuses).toBe(0)
    for (const { report } of runs) expect(report.success).toBe(true)
  })

  test('a run that outlives its lease cannot overwrite what its successor recorded', async () => {
    const proof = holdNext(server, '/me')
    const slow = world.run(rotabroker, { seconds: 60 })
    await proof.arrived
    world.clock.advance({ minutes: 4 })
    const successor = await result()
    expect(successor).toMatchObject({ success: true })
    const recorded = await world.ports.states.get(account)
    proof.release()
    await slow
    expect(await world.ports.states.get(account)).toEqual(recorded)
    expect(world.logs.map(({ message }) => message)).toContain(
      'another run took over before the outcome was recorded',
    )
  })

  test('R2.10 a run that outlives its lease does not publish over its successor', async () => {
    const { http } = world.ports
    const proven = Promise.withResolvers<void>()
    const { promise: wakes, resolve: wake } = Promise.withResolvers<void>()
    const slowProof: Ports['http'] = {
      send: async (request) => {
        const reply = await http.send(request)
        if (request.url.endsWith('/me')) {
          proven.resolve()
          await wakes
        }
        return reply
      },
    }
    world.ports = { ...world.ports, http: slowProof }
    const slow = world.run(rotabroker, { seconds: 60 })
    await proven.promise
    world.ports = { ...world.ports, http }
    world.clock.advance({ minutes: 4 })
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
    const published = await world.stored(account, 'access_token')
    wake()
    await slow
    expect(await world.stored(account, 'access_token')).toBe(published)
  })

  test('settings changed in the middle of a run are kept', async () => {
    const proof = holdNext(server, '/me')
    const run = result()
    await proof.arrived
    await world.change(account, {
      settings: { nickname: 'Main' },
    })
    proof.release()
    expect(await run).toMatchObject({ outcome: 'refreshed' })
    expect(await world.ports.states.get(account)).toMatchObject({
      settings: { nickname: 'Main' },
      generation: 1,
    })
  })

  test('an account removed in the middle of a run stays removed', async () => {
    const proof = holdNext(server, '/me')
    const run = result()
    await proof.arrived
    await world.ports.states.remove(account)
    proof.release()
    await run
    expect(await world.ports.states.get(account)).toBeUndefined()
  })
})
