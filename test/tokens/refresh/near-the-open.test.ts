import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { statusOf } from '../../../lib/accounts/account-status.ts'
import { configured } from '../../../lib/brokers/configured.ts'
import { fyers } from '../../../lib/brokers/fyers/fyers.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import { FyersSimulator } from '../../../lib/simulators/fyers/fyers-simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { handIn } from '../../support/hand-in.ts'
import { World } from '../../support/world.ts'

const APP = { clientId: 'ABCDEFGH12-100', secret: 'S3CRET-FYERS-APP' }
const USER = { fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' }
const PROFILE = '/api/v3/profile'
/** FYERS' schedule on a Monday. */
const MORNING = ['06', '07', '08'].flatMap((hour) =>
  ['00', '15', '30', '45'].map((minute) => `${hour}:${minute}`),
)

let world: World
let simulator: FyersSimulator
let server: SimulatorServer
let account: AccountId

beforeEach(async () => {
  world = new World('2026-11-23T06:16:00+05:30')
  simulator = new FyersSimulator(world.clock, APP, [USER])
  server = await world.serve(simulator)
  account = await world.account('fyers', { client_id: APP.clientId, client_secret: APP.secret })
})
afterEach(() => world.close())

/** A person's token, proven at the time on the clock. */
async function logIn(): Promise<void> {
  await handIn(world, { broker: fyers, account, accessToken: simulator.accessTokenFor(USER.fyId) })
}

/** The runs from one time of the morning to another; how often the broker was asked for the profile at each. */
async function runs(from: string, until: string, broker: Broker = fyers): Promise<Record<string, number>> {
  const asked: Record<string, number> = {}
  for (const time of MORNING.filter((one) => one >= from && one <= until)) {
    world.clock.set(`2026-11-23T${time}:00+05:30`)
    const before = server.count(PROFILE)
    await world.run(broker)
    asked[time] = server.count(PROFILE) - before
  }
  return asked
}

const record = () => world.record(account)

const status = async () => statusOf(fyers, await record(), world.clock.now())

describe('a token proven early in the morning', () => {
  test('is proven once more 45 minutes before the open, by one call', async () => {
    await logIn()
    expect(await runs('06:30', '08:45')).toEqual(
      Object.fromEntries(MORNING.slice(2).map((time) => [time, time === '08:30' ? 1 : 0])),
    )
    expect((await record()).accessToken?.provenAt).toEqual(world.at('2026-11-23T08:30:00+05:30'))
    expect(world.alerts).toEqual([])
  })

  test('and ended by the broker since has a person asked in the same run, with time left', async () => {
    await logIn()
    await runs('06:30', '07:15')
    simulator.killAccessToken(USER.fyId)
    await runs('07:30', '08:15')
    expect(world.alerts).toEqual([])
    expect(await runs('08:30', '08:30')).toEqual({ '08:30': 1 })
    expect(world.alerts.map(({ title }) => title)).toEqual([
      'Log in: FYERS fyers before Mon 23 Nov 09:15 IST',
    ])
    expect(await status()).toMatchObject({ state: 'awaiting_login', live: false })
    // The next run does not ask the broker again, and reminds.
    expect(await runs('08:45', '08:45')).toEqual({ '08:45': 0 })
    expect(world.alerts.at(-1)?.title).toMatch(/^Still open: /)
  })

  test('and ended by the broker since is renewed in the same run where nobody is needed', async () => {
    await world.store(account, { pin: USER.pin, refresh_token: simulator.refreshTokenFor(USER.fyId) })
    await runs('06:30', '06:30')
    simulator.killAccessToken(USER.fyId)
    world.clock.set('2026-11-23T08:30:00+05:30')
    const { report } = await world.run(fyers)
    expect(report.results).toMatchObject([{ outcome: 'refreshed', live: true }])
    expect(world.alerts).toEqual([])
    expect(await runs('08:45', '08:45')).toEqual({ '08:45': 0 })
  })

  test('whose proof meets a passing fault is proven by the next run', async () => {
    await logIn()
    for (let count = 0; count < 12; count++)
      server.failNext(PROFILE, { kind: 'reply', status: 503, body: '' })
    await runs('08:30', '08:30')
    expect((await record()).accessToken?.provenAt).toEqual(world.at('2026-11-23T06:16:00+05:30'))
    expect(await status()).toMatchObject({ live: true, summary: expect.stringMatching(/^last run failed/) })
    await runs('08:45', '08:45')
    expect(await status()).toMatchObject({ live: true, summary: 'live' })
  })

  test('says in its status that the proof is due, as long as no run came', async () => {
    await logIn()
    world.clock.set('2026-11-23T08:29:59+05:30')
    expect((await status()).summary).toBe('live')
    world.clock.set('2026-11-23T08:30:00+05:30')
    expect((await status()).summary).toBe('live, proof due')
  })

  test('is proven as near the open as the owner chose', async () => {
    const later = configured(fyers, { pacingSeconds: 0, proveMinutesBeforeOpen: 30 })
    await logIn()
    expect(await runs('08:15', '08:45', later)).toEqual({ '08:15': 0, '08:30': 0, '08:45': 1 })
  })
})

test('a login in those minutes is a proof by itself', async () => {
  world.clock.set('2026-11-23T08:36:00+05:30')
  await logIn()
  expect(await runs('08:45', '08:45')).toEqual({ '08:45': 0 })
})
