import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { configured } from '../../../lib/brokers/configured.ts'
import { fyers } from '../../../lib/brokers/fyers/fyers.ts'
import { upstox } from '../../../lib/brokers/upstox/upstox.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { MarketDays } from '../../../lib/model/market-days.ts'
import type { RunReport } from '../../../lib/model/outcome.ts'
import { FyersSimulator } from '../../../lib/simulators/fyers/fyers-simulator.ts'
import { approvalDue } from '../../../lib/tokens/refresh/approval-request.ts'
import { handIn } from '../../support/hand-in.ts'
import { World } from '../../support/world.ts'

const APP = { clientId: 'ABCDEFGH12-100', secret: 'S3CRET-FYERS-APP' }
const USER = { fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' }
/** The day of a run that looks at an account for the first time, long before all others here. */
const BEGIN = '2026-01-20T08:00:00+05:30'

let world: World
let simulator: FyersSimulator
let days: MarketDays

const broker = configured(fyers, {}, () => days)

beforeEach(async () => {
  world = new World(BEGIN)
  simulator = new FyersSimulator(world.clock, APP, [USER])
  await world.serve(simulator)
  days = { closed: [], sessions: [] }
})
afterEach(() => world.close())

const app = { client_id: APP.clientId, client_secret: APP.secret }

async function runAt(time: string): Promise<RunReport> {
  world.clock.set(`2026-${time}:00+05:30`)
  return (await world.run(broker)).report
}

const titles = (): readonly string[] => world.alerts.map(({ title }) => title)

/** Every run of a morning and a day, each quarter of an hour from 06:00 on. */
async function runsOf(date: string): Promise<void> {
  for (let minutes = 6 * 60; minutes < 16 * 60; minutes += 15) {
    const [hour, minute] = [Math.floor(minutes / 60), minutes % 60].map((part) =>
      String(part).padStart(2, '0'),
    )
    await runAt(`${date}T${hour}:${minute}`)
  }
}

describe('an account that only a person can help', () => {
  beforeEach(async () => {
    await world.account('fyers', app)
  })

  test('is asked of nobody on Diwali Balipratipada, and on the morning after it', async () => {
    await runsOf('11-10')
    expect(titles()).toEqual([])
    expect((await runAt('11-10T10:00')).results).toMatchObject([
      { outcome: 'skipped', loginHelpsFrom: '2026-11-11T06:00:00+05:30' },
    ])
    await runAt('11-11T06:00')
    expect(titles()).toEqual(['Log in: FYERS fyers before Wed 11 Nov 09:15 IST'])
  })

  test('is asked on the Sunday of the budget, and reminded before its open', async () => {
    await runAt('01-31T20:00')
    expect(titles()).toEqual([])
    await runAt('02-01T06:00')
    await runAt('02-01T08:15')
    expect(titles()).toEqual([
      'Log in: FYERS fyers before Sun 1 Feb 09:15 IST',
      'Still open: Log in: FYERS fyers before Sun 1 Feb 09:15 IST',
    ])
  })

  test('is reminded of by nobody on a holiday, and goes on with the next trading day', async () => {
    await runAt('11-23T06:00')
    await runAt('11-23T08:45')
    expect(titles()).toHaveLength(2)
    await runsOf('11-24')
    expect(titles()).toHaveLength(2)
    await runAt('11-25T08:15')
    expect(titles().at(-1)).toBe('Still open: Log in: FYERS fyers before Wed 25 Nov 09:15 IST')
  })

  test('is asked of nobody on a day the owner has closed, from the moment it is said', async () => {
    await runAt('12-01T05:45')
    const closed = (['in-equity', 'in-fno'] as const).map((market) => ({ market, date: '2026-12-01' }))
    days = { closed, sessions: [] }
    await runsOf('12-01')
    expect(titles()).toEqual([])
    days = { closed: [], sessions: [] }
    await runAt('12-01T09:00')
    expect(titles()).toEqual(['Log in: FYERS fyers before Tue 1 Dec 09:15 IST'])
  })

  test('is asked on a Saturday the owner has opened', async () => {
    days = {
      closed: [],
      sessions: [{ market: 'in-equity', date: '2026-12-05', opens: '11:15', closes: '12:30' }],
    }
    await runAt('12-05T07:00')
    await runAt('12-05T08:15')
    expect(titles()).toEqual(['Log in: FYERS fyers before Sat 5 Dec 11:15 IST'])
  })
})

describe('an account that names its markets', () => {
  async function account(markets: readonly string[]): Promise<AccountId> {
    return world.account('fyers', app, { markets })
  }

  test('of commodities is asked before the evening session of a holiday', async () => {
    await account(['in-mcx'])
    await runAt('11-10T16:00')
    expect(titles()).toEqual(['Log in: FYERS fyers before Tue 10 Nov 17:00 IST'])
  })

  test('of commodities is covered until MCX closes', async () => {
    const one = await account(['in-equity', 'in-mcx'])
    world.clock.set('2026-11-25T08:00:00+05:30')
    await handIn(world, { broker, account: one, accessToken: simulator.accessTokenFor(USER.fyId) })
    await runAt('11-25T20:00')
    expect(titles()).toEqual([])
    simulator.killAccessToken(USER.fyId)
    world.clock.set('2026-11-25T20:15:00+05:30')
    await world.run(broker, { accounts: [one], reported: { generation: 1 } })
    expect(titles()).toEqual(['Log in: FYERS fyers'])
  })

  test('as none is asked as soon as it needs somebody, whatever the day', async () => {
    await account([])
    await runAt('11-10T23:00')
    expect(titles()).toEqual(['Log in: FYERS fyers'])
  })
})

test('the broker’s own app asks once on each trading day, a Sunday among them, and on no closed one', async () => {
  const asking = configured(upstox, { approvalAt: '07:30' })
  const id = await world.account('upstox', { client_id: 'sim-api-key', client_secret: 'S3CRET-UPSTOX-APP' })
  const state = { ...(await world.record(id)), userId: 'SIM001' }
  const stored = await world.ports.vault.read(id, ['client_id', 'client_secret'])
  const due = (date: string): boolean =>
    approvalDue(asking, state, stored, world.at(`${date}T08:00:00+05:30`)) !== undefined
  expect(['2026-02-01', '2026-11-08', '2026-11-09'].map(due)).toEqual([true, true, true])
  expect(['2026-02-08', '2026-11-10', '2026-11-24'].map(due)).toEqual([false, false, false])
})

describe('on a day that is closed, perhaps by mistake', () => {
  beforeEach(async () => {
    const refresh_token = simulator.refreshTokenFor(USER.fyId)
    await world.account('fyers', { ...app, pin: USER.pin, refresh_token })
    const closed = (['in-equity', 'in-fno'] as const).map((market) => ({ market, date: '2026-01-22' }))
    days = { closed, sessions: [] }
  })

  test('a token that ended in the night is found out by the morning’s proof, and renewed without anybody', async () => {
    expect((await runAt('01-22T06:01')).results).toMatchObject([{ outcome: 'refreshed' }])
    simulator.killAccessToken(USER.fyId)
    expect((await runAt('01-22T08:35')).results).toMatchObject([{ outcome: 'refreshed' }])
    expect(titles()).toEqual([])
  })
})

test('a closed day keeps nobody’s renewal back: a grant that needs nobody is used as on any day', async () => {
  const refresh_token = simulator.refreshTokenFor(USER.fyId)
  await world.account('fyers', { ...app, pin: USER.pin, refresh_token })
  expect((await runAt('01-26T06:15')).results).toMatchObject([{ outcome: 'refreshed' }])
})
