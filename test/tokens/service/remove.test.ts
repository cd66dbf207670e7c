import { afterEach, describe, expect, test } from 'vitest'
import { fyers } from '../../../lib/brokers/fyers/fyers.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { Subscriber } from '../../../lib/ports/subscriber.ts'
import { removeAccount } from '../../../lib/tokens/service/remove.ts'
import { World } from '../../support/world.ts'

let world: World
afterEach(() => world.close())

const SECRETS = {
  client_id: 'SIMULATED01-100',
  client_secret: 'SIMULATED-secret',
  pin: '1234',
  refresh_token: 'SIM.refresh.token',
  access_token: 'SIM.access.token',
}
const NAMES = ['client_id', 'client_secret', 'pin', 'refresh_token', 'access_token'] as const

async function begin(): Promise<AccountId> {
  world = new World()
  return world.account('fyers', SECRETS)
}

const remove = (account: AccountId) => removeAccount({ broker: fyers, account }, world.ports)

async function left(account: AccountId): Promise<readonly string[]> {
  const found = await Promise.all(NAMES.map((name) => world.stored(account, name)))
  return NAMES.filter((_, index) => found[index] !== undefined)
}

describe('removing an account', () => {
  test('takes its secrets and its record, and says which secrets there were', async () => {
    const account = await begin()
    expect(await remove(account)).toEqual(NAMES)
    expect(await left(account)).toEqual([])
    expect(await world.ports.states.get(account)).toBeUndefined()
  })

  test('leaves every other account alone', async () => {
    const account = await begin()
    const other = await world.account('fyers/BINA', SECRETS)
    await remove(account)
    expect(await left(other)).toEqual(NAMES)
    expect(await world.ports.states.get(other)).toBeDefined()
  })

  test('has every mirror forget its token', async () => {
    const account = await begin()
    const forgotten: AccountId[] = []
    const mirror: Subscriber = {
      name: 'mirror',
      onPublished: async () => undefined,
      onWithdrawn: async (one) => void forgotten.push(one),
    }
    world.ports = { ...world.ports, subscribers: [mirror] }
    await remove(account)
    expect(forgotten).toEqual([account])
  })

  test('that is interrupted leaves an account no run touches, and ends when it is done again', async () => {
    const account = await begin()
    const dead = world.failNext('vault.remove', { times: 'all', error: new Error('the machine died') })
    await expect(remove(account)).rejects.toThrow('the machine died')
    dead.stop()
    const { report } = await world.run(fyers)
    expect(report.results).toMatchObject([{ account, outcome: 'paused' }])
    world.clock.advance({ minutes: 3 })
    await remove(account)
    expect(await left(account)).toEqual([])
  })

  test('waits for the run that holds it, and gives up naming it rather than taking secrets from under it', async () => {
    const account = await begin()
    const until = world.clock.now().add({ minutes: 10 })
    await world.change(account, { lease: { owner: 'run-1', until } })
    await expect(remove(account)).rejects.toThrow(`another run is working on ${account}`)
    expect(await left(account)).toEqual(NAMES)
  })

  test('of an account nobody knows is an error', async () => {
    await begin()
    await expect(remove('fyers/NOBODY' as AccountId)).rejects.toThrow('fyers/NOBODY')
  })
})
