import { afterEach, beforeEach, expect, test } from 'vitest'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import type { AwsFunctions } from '../../lib/cli/backend/aws-functions.ts'
import { awsRun } from '../../lib/cli/backend/aws-run.ts'
import { parseConfig } from '../../lib/config.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import { type RunReport, report } from '../../lib/model/outcome.ts'
import { FyersSimulator } from '../../lib/simulators/fyers/fyers-simulator.ts'
import { World } from '../support/world.ts'

const APP = { clientId: 'ABCDEFGH12-100', secret: 'S3CRET-FYERS-APP' }
const USERS = ['XX00001', 'XX00002', 'XX00003'].map((fyId) => ({ fyId, name: `USER ${fyId}`, pin: '0412' }))

let world: World
let accounts: AccountId[]
const settings = parseConfig({ brokers: { fyers: {} } }).brokers.fyers
const broker = { broker: fyers, settings: settings as NonNullable<typeof settings> }

beforeEach(async () => {
  world = new World()
  const simulator = new FyersSimulator(world.clock, APP, USERS)
  await world.serve(simulator)
  accounts = []
  for (const { fyId, pin } of USERS) {
    const refreshToken = simulator.refreshTokenFor(fyId, 1)
    const secrets = { client_id: APP.clientId, client_secret: APP.secret, pin, refresh_token: refreshToken }
    accounts.push(await world.account(`fyers/${fyId}`, secrets))
  }
})
afterEach(() => world.close())

/** A function that does the first account itself and hands the others over, as one near its deadline does. */
function handingOver(followUp: () => Promise<unknown>): AwsFunctions & { readonly events: unknown[] } {
  const events: unknown[] = []
  return {
    events,
    describe: () => Promise.reject(new Error('not called')),
    async invoke(_, event): Promise<RunReport> {
      events.push(event)
      const { report: first } = await world.run(fyers, { accounts: accounts.slice(0, 1) })
      await followUp()
      return report(first.results, 2)
    },
    describeIfThere: async () => undefined,
    siteUrl: async () => undefined,
    close: () => undefined,
  }
}

test('a run on AWS is the function’s; accounts handed to a follow-up are waited for and told', async () => {
  const functions = handingOver(() => world.run(fyers, { accounts: accounts.slice(1) }))
  const told: string[] = []
  const done = await awsRun(
    {
      broker,
      forcedAt: world.clock.now(),
      onProgress: ({ event, account }) => told.push(`${event} ${account}`),
    },
    functions,
    world.ports,
  )
  expect(functions.events).toEqual([{ force: true, awaited: true, reason: 'manual' }])
  expect(done).toMatchObject({ success: true, refreshed: 3, total: 3, handedOver: 0 })
  expect(told).toEqual(accounts.map((account) => `finished ${account}`))
})

test('a run whose report was lost is watched to its end through the records', async () => {
  const functions: AwsFunctions = {
    ...handingOver(async () => undefined),
    async invoke() {
      await world.run(fyers)
      return undefined
    },
  }
  const done = await awsRun({ broker, forcedAt: world.clock.now() }, functions, world.ports)
  expect(done).toMatchObject({ success: true, refreshed: 3, total: 3, handedOver: 0 })
})

test('a follow-up that never ends is not waited for without end', async () => {
  const startedAt = world.clock.now()
  const done = await awsRun(
    { broker },
    handingOver(async () => undefined),
    world.ports,
  )
  expect(done).toMatchObject({ refreshed: 1, handedOver: 2, total: 3 })
  expect(startedAt.until(world.clock.now()).total('minutes')).toBeLessThan(31)
})

test('an account that was paused meanwhile is told with its time on the clocks of its market', async () => {
  const [, paused] = accounts as [AccountId, AccountId]
  const done = await awsRun(
    { broker },
    handingOver(async () => {
      const since = world.clock.now()
      await world.change(paused, { paused: { since } })
      await world.run(fyers, { accounts: accounts.slice(2) })
    }),
    world.ports,
  )
  const told = done.results.find(({ account }) => account === paused)
  expect(told?.reason).toMatch(/^paused since [A-Z][a-z]{2} \d+ [A-Z][a-z]{2} \d\d:\d\d IST$/)
})

test('an account whose proof is due near the open is not taken for done before a run has proven it', async () => {
  await world.run(fyers)
  world.clock.set('2026-11-23T08:15:00+05:30')
  const early = await awsRun(
    { broker },
    handingOver(async () => undefined),
    world.ports,
  )
  expect(early).toMatchObject({ skipped: 3, handedOver: 0 })
  world.clock.set('2026-11-23T08:31:00+05:30')
  const late = await awsRun(
    { broker },
    handingOver(async () => undefined),
    world.ports,
  )
  expect(late).toMatchObject({ skipped: 1, handedOver: 2 })
})

test('nor is one whose token is in doubt, which the run settles', async () => {
  await world.run(fyers)
  world.clock.set('2026-11-23T08:15:00+05:30')
  for (const account of accounts.slice(1)) {
    const doubt = { since: world.clock.now(), by: 'login' } as const
    await world.change(account, { doubt })
  }
  const run = () =>
    awsRun(
      { broker },
      handingOver(async () => undefined),
      world.ports,
    )
  expect(await run()).toMatchObject({ skipped: 1, handedOver: 2 })
  const settled = handingOver(() => world.run(fyers, { accounts: accounts.slice(1) }))
  expect(await awsRun({ broker }, settled, world.ports)).toMatchObject({ handedOver: 0 })
})
