import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Composition } from '../../lib/cli/backend/composition.ts'
import { programAccounts } from '../../lib/cli/program/stores.ts'
import { parseConfig } from '../../lib/config.ts'
import { StateStoreError } from '../../lib/model/errors.ts'
import { RestWorld } from '../rest/support/rest-world.ts'

let world: RestWorld

beforeEach(async () => {
  world = await RestWorld.open()
})
afterEach(() => world.close())

/** The stack's accounts as the command line would see them, over stores of this process. */
function onAws(): Composition {
  const brokers = world.brokers.map((broker) => ({ broker, settings: {} }))
  const parts = { backend: 'aws', brokers, config: parseConfig({}), ports: world.ports }
  return parts as unknown as Composition
}

test('on AWS the record adds what a parameter does not tell', async () => {
  const account = await world.fyersAccount()
  const { accounts } = await programAccounts([account], onAws())
  const { accessToken, generation } = await world.record(account)
  expect(await accounts[0]?.source.read()).toMatchObject({
    account,
    generation,
    expiresAt: accessToken?.expiresAt,
  })
})

test('on AWS who may not read the records still has the parameters of an account that is named', async () => {
  const account = await world.fyersAccount()
  const { accessToken } = await world.record(account)
  const error = new StateStoreError('DynamoDB refused Query for the table (AccessDeniedException)')
  for (const call of ['states.list', 'states.get'] as const) world.failNext(call, { times: 'all', error })
  const { accounts } = await programAccounts([account], onAws())
  const read = await accounts[0]?.source.read()
  expect(read?.accessToken.length).toBeGreaterThan(100)
  expect(read).not.toHaveProperty('generation')
  const token = await accounts[0]?.knownToken()
  expect(token?.expiresAt).toEqual(accessToken?.expiresAt)
  await expect(programAccounts([], onAws())).rejects.toThrow('DynamoDB')
})

test('who may not read the credentials is advised by the record alone', async () => {
  const account = await world.fyersAccount()
  world.failNext('vault.read', { times: 'all' })
  const { accounts } = await programAccounts([account], onAws())
  expect(await (await accounts[0]?.knownToken())?.remedy(undefined)).toEqual({
    fix: `run tokenkeeper refresh ${account}`,
  })
  const last = { at: world.clock.now(), outcome: 'awaiting_login' as const, reason: 'its day is over' }
  await world.change(account, { last })
  expect(await (await accounts[0]?.knownToken())?.remedy(undefined)).toEqual({
    code: 'awaiting_login',
    fix: `run tokenkeeper login ${account}`,
  })
})

test('a wait is told with its reason and on the clocks of the account', async () => {
  const account = await world.fyersAccount()
  const notBefore = world.clock.now().add({ minutes: 10 })
  await world.change(account, { notBefore })
  const { accounts } = await programAccounts([account], onAws())
  const { fix } = (await (await accounts[0]?.knownToken())?.remedy(undefined)) ?? {}
  expect(fix).toMatch(
    /^wait \(the broker asked us to wait\): it is tried again from \w{3} \d+ \w{3} \d\d:\d\d IST$/,
  )
})
