import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AccountId, parseAccountId } from '../../../lib/model/account-id.ts'
import { newAccountState } from '../../../lib/model/account-state.ts'
import { StateStoreError } from '../../../lib/model/errors.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { type Run, runBroker } from '../../../lib/tokens/refresh/run.ts'
import { holdNext } from '../../support/held-request.ts'
import { RotaWorld } from '../../support/rota-world.ts'
import { type RotabrokerSimulator, rotabroker } from '../../support/rotating-broker.ts'

let world: RotaWorld
let simulator: RotabrokerSimulator
let server: SimulatorServer

beforeEach(async () => {
  world = await RotaWorld.open()
  ;({ simulator, server } = world)
})

afterEach(() => world.close())

describe('200 accounts of one broker', () => {
  test('one invocation with enough time does all of them, each once', async () => {
    await world.rotaAccounts(200)
    const { report, remaining } = await world.run(rotabroker)
    expect(report).toMatchObject({
      success: true,
      refreshed: 200,
      failed: 0,
      skipped: 0,
      total: 200,
      handedOver: 0,
    })
    expect(remaining).toEqual([])
    expect(simulator.exchanges).toBe(200)
  })

  test('a chain of short invocations does all of them, none skipped or done twice', async () => {
    const all = await world.rotaAccounts(200)
    const done: AccountId[] = []
    let next: readonly AccountId[] | undefined
    let invocations = 0
    do {
      invocations += 1
      const run: Run = await runBroker(
        {
          broker: rotabroker,
          accounts: next,
          owner: `invocation-${invocations}`,
          // 2 s between accounts: some forty fit before the 45 s kept for the slowest one.
          pacingSeconds: 2,
          hardDeadline: world.clock.now().add({ seconds: 120 }),
        },
        world.ports,
      )
      done.push(
        ...run.report.results.filter(({ outcome }) => outcome === 'refreshed').map(({ account }) => account),
      )
      expect(run.report.total).toBe(run.report.results.length + run.remaining.length)
      expect(run.report.handedOver).toBe(run.remaining.length)
      next = run.remaining
    } while (next.length > 0 && invocations < 50)
    expect(done.toSorted()).toEqual(all.toSorted())
    expect(simulator.exchanges).toBe(200)
    expect(invocations).toBeGreaterThan(3)
  })

  test('no more records are held than are worked on', async () => {
    const ids = await world.rotaAccounts(60)
    let yielded = 0
    let furthestAhead = 0
    const { states } = world.ports
    world.ports = {
      ...world.ports,
      states: {
        ...states,
        async *list(broker) {
          for await (const state of states.list(broker)) {
            yielded += 1
            furthestAhead = Math.max(furthestAhead, yielded - simulator.exchanges)
            yield state
          }
        },
      },
    }
    await world.run(rotabroker)
    expect(yielded).toBe(ids.length)
    expect(furthestAhead).toBeLessThanOrEqual(rotabroker.concurrency + 1)
  })
})

describe('one account’s trouble', () => {
  test('does not touch the others', async () => {
    const ids = await world.rotaAccounts(5)
    await world.ports.vault.remove(ids[1] as AccountId, 'client_id')
    await world.store(ids[3] as AccountId, { refresh_token: 'sim.unknown.refresh.token' })
    const { report } = await world.run(rotabroker)
    expect(report).toMatchObject({ refreshed: 3, failed: 2, total: 5, success: false })
    expect(report.message).toContain('1 waiting for a person to log in')
  })

  test('an unreadable vault for one account leaves the others alone', async () => {
    const ids = await world.rotaAccounts(3)
    world.failNext('vault.read', { times: 'all', only: (account) => account === ids[0] })
    const { report } = await world.run(rotabroker)
    expect(report).toMatchObject({ refreshed: 2, failed: 1 })
    expect(report.results[0]).toMatchObject({ account: ids[0], code: 'vault_read' })
  })
})

describe('what is asked for', () => {
  test('only the named accounts are worked on', async () => {
    const [first, second] = (await world.rotaAccounts(4)) as [AccountId, AccountId]
    const { report } = await world.run(rotabroker, { accounts: [first, second] })
    expect(report.results.map(({ account }) => account)).toEqual([first, second])
  })

  test('an unknown account fails by name and the others go on', async () => {
    const [first] = (await world.rotaAccounts(1)) as [AccountId]
    const unknown = parseAccountId('rotabroker/nobody')
    const { report } = await world.run(rotabroker, { accounts: [first, unknown] })
    expect(report).toMatchObject({ refreshed: 1, failed: 1 })
    expect(report.results.find(({ account }) => account === unknown)).toMatchObject({
      account: unknown,
      code: 'configuration_invalid',
      nextAction: expect.stringContaining('tokenkeeper setup rotabroker/nobody'),
    })
    expect(await world.ports.states.get(unknown)).toBeUndefined()
  })

  test('R0.10 no account at all says how to set one up', async () => {
    const { report } = await world.run(rotabroker)
    expect(report).toMatchObject({
      success: false,
      total: 0,
      message: 'no accounts: run tokenkeeper setup rotabroker',
    })
  })

  test('R3.3 parameters of an older set-up are adopted as the default account: it is registered, once, and that is said', async () => {
    await world.store(parseAccountId('rotabroker'), {
      client_id: 'sim-client',
      refresh_token: simulator.login('SIM1'),
    })
    const { report } = await world.run(rotabroker)
    expect(report.results).toMatchObject([{ account: 'rotabroker', outcome: 'refreshed' }])
    expect(report.message).toBe(
      '1 refreshed, 0 skipped, 0 failed of 1; rotabroker was found and is registered now',
    )
    expect(await world.ports.states.get(parseAccountId('rotabroker'))).toMatchObject({ generation: 1 })
    expect((await world.run(rotabroker)).report.message).toBe('0 refreshed, 1 skipped, 0 failed of 1')
  })

  test('the account of an older set-up is on record before anything is done to it', async () => {
    const found = parseAccountId('rotabroker')
    await world.store(found, { client_id: 'sim-client' })
    const hardDeadline = world.clock.now().add({ seconds: 1 })
    const { remaining } = await runBroker({ broker: rotabroker, owner: 'short', hardDeadline }, world.ports)
    expect(remaining).toEqual([found])
    expect(await world.ports.states.get(found)).toEqual({ ...newAccountState(found), revision: 1 })
  })

  test('a forced run renews a fresh token, and a follow-up of the same run does not do it again', async () => {
    const [first] = (await world.rotaAccounts(1)) as [AccountId]
    await world.run(rotabroker)
    world.clock.advance({ minutes: 1 })
    const forcedAt = world.clock.now()
    const request = {
      broker: rotabroker,
      owner: 'forced',
      forcedAt,
      hardDeadline: forcedAt.add({ minutes: 10 }),
    }
    world.clock.advance({ seconds: 1 })
    expect((await runBroker(request, world.ports)).report).toMatchObject({ refreshed: 1 })
    world.clock.advance({ seconds: 5 })
    expect(
      (await runBroker({ ...request, owner: 'again', accounts: [first] }, world.ports)).report.results,
    ).toMatchObject([{ outcome: 'fresh' }])
    expect(simulator.exchanges).toBe(2)
  })

  test('R0.2 R0.8 paused and external accounts are counted as skipped and never touched', async () => {
    await world.rotaAccounts(1)
    await world.account('rotabroker/ext', { client_id: 'c' }, { managedBy: 'external' })
    const paused = await world.account('rotabroker/zz', {
      client_id: 'c',
      refresh_token: simulator.login('SIMZ'),
    })
    await world.change(paused, { paused: { since: world.clock.now() } })
    const { report } = await world.run(rotabroker)
    expect(report).toMatchObject({ refreshed: 1, skipped: 2, failed: 0, success: true })
    expect(report.results.map(({ outcome }) => outcome).toSorted()).toEqual([
      'paused',
      'refreshed',
      'skipped',
    ])
  })
})

describe('a registry that cannot be read', () => {
  test('I1 a registry that breaks off leaves no account in flight when the run returns', async () => {
    const [first, second] = (await world.rotaAccounts(3)) as [AccountId, AccountId]
    const { states } = world.ports
    const { promise: brokeOff, resolve: breakOff } = Promise.withResolvers<void>()
    world.ports = {
      ...world.ports,
      states: {
        ...states,
        async *list(broker) {
          for await (const state of states.list(broker)) {
            yield state
            if (state.account !== second) continue
            breakOff()
            throw new StateStoreError('page two', { fix: 'check the table' })
          }
        },
      },
    }
    const grant = holdNext(server, '/token')
    const run = world.run(rotabroker)
    await grant.arrived
    await brokeOff
    grant.release()
    await run
    expect(simulator.exchanges).toBe(2)
    expect(await world.stored(first, 'refresh_token')).toBe(simulator.currentOf('SIM0'))
    expect(await world.stored(second, 'refresh_token')).toBe(simulator.currentOf('SIM1'))
  })

  test('an unreadable registry is reported, not thrown', async () => {
    world.failNext('states.list', { times: 'all' })
    const { report } = await world.run(rotabroker)
    expect(report.success).toBe(false)
    expect(report.results).toMatchObject([
      { outcome: 'failed', code: 'state', reason: 'the state table is away' },
    ])
  })
})
