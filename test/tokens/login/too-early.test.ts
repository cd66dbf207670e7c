import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { helpFor } from '../../../lib/accounts/needs.ts'
import { configured } from '../../../lib/brokers/configured.ts'
import { fyers } from '../../../lib/brokers/fyers/fyers.ts'
import { upstox } from '../../../lib/brokers/upstox/upstox.ts'
import { exitCodeOfRun } from '../../../lib/cli/terminal/exit-codes.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { AccountState } from '../../../lib/model/account-state.ts'
import type { AccountResult, RunReport } from '../../../lib/model/outcome.ts'
import { FyersSimulator } from '../../../lib/simulators/fyers/fyers-simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { approvalDue } from '../../../lib/tokens/refresh/approval-request.ts'
import { tell } from '../../../lib/tokens/tell/incident.ts'
import { handIn } from '../../support/hand-in.ts'
import { World } from '../../support/world.ts'

const APP = { clientId: 'ABCDEFGH12-100', secret: 'S3CRET-FYERS-APP' }
const USER = { fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' }
const PROFILE = '/api/v3/profile'
const FRIDAY_EVENING = '2026-11-27T20:00:00+05:30'

let world: World
let simulator: FyersSimulator
let server: SimulatorServer
let account: AccountId

beforeEach(async () => {
  world = new World(FRIDAY_EVENING)
  simulator = new FyersSimulator(world.clock, APP, [USER])
  server = await world.serve(simulator)
  account = await world.account('fyers', { client_id: APP.clientId, client_secret: APP.secret })
})
afterEach(() => world.close())

/** `27T20:00`, on FYERS' clocks. */
async function runAt(time: string, options: Parameters<World['run']>[1] = {}): Promise<RunReport> {
  world.clock.set(`2026-11-${time}:00+05:30`)
  return (await world.run(fyers, options)).report
}

async function logIn(token = simulator.accessTokenFor(USER.fyId)): Promise<AccountResult> {
  return handIn(world, { broker: fyers, account, accessToken: token })
}

const record = () => world.record(account)

const titles = (): readonly string[] => world.alerts.map(({ title }) => title)

describe('on a Friday evening an account without a token', () => {
  test('is asked of nobody, and the report says so: no failure, no success of a run, and from when', async () => {
    const report = await runAt('27T20:00')
    expect(report).toMatchObject({
      success: true,
      failed: 0,
      skipped: 1,
      message: '0 refreshed, 1 skipped (1 too early to log in), 0 failed of 1',
      results: [
        {
          outcome: 'skipped',
          live: false,
          reason: expect.stringMatching(
            /^no access token is stored.*; a login helps from Mon 30 Nov 06:00 IST$/,
          ),
          nextAction: 'log in at FYERS from Mon 30 Nov 06:00 IST on: tokenkeeper login fyers',
          loginHelpsFrom: '2026-11-30T06:00:00+05:30',
        },
      ],
    })
    expect(titles()).toEqual([])
    expect(world.counts.get('fyers AwaitingLogin')).toBeUndefined()
    // A person is what it takes: no script goes on as if there were a token.
    expect(exitCodeOfRun(report)).toBe(4)
  })

  test('is looked at by later runs without a write, and asked for by the first one that helps', async () => {
    await runAt('27T20:00')
    const { revision } = await record()
    await runAt('28T09:00')
    await runAt('29T20:00')
    await runAt('30T05:59')
    expect((await record()).revision).toBe(revision)
    expect(titles()).toEqual([])
    expect(await runAt('30T06:00')).toMatchObject({ results: [{ outcome: 'awaiting_login' }] })
    expect(titles()).toEqual(['Log in: FYERS fyers before Mon 30 Nov 09:15 IST'])
    expect(String(world.alerts[0]?.deadline)).toBe('2026-11-30T09:15:00+05:30[Asia/Kolkata]')
  })

  test('is asked for at once in an open market', async () => {
    await runAt('27T11:00')
    expect(titles()).toEqual(['Log in: FYERS fyers'])
  })
})

test('a token the broker refuses after the close is told as refused, and asked for when a login helps', async () => {
  world.clock.set('2026-11-27T08:31:00+05:30')
  await logIn()
  simulator.killAccessToken(USER.fyId)
  const report = await runAt('27T16:00', { accounts: [account], reported: { generation: 1 } })
  expect(report.results).toMatchObject([
    { outcome: 'skipped', live: false, reason: expect.stringContaining('was refused by the broker') },
  ])
  expect(await record()).toMatchObject({ refusedVersion: 1, last: { outcome: 'skipped' } })
  expect((await record()).last?.loginHelpsFrom).toEqual(world.at('2026-11-30T06:00:00+05:30'))
  expect(titles()).toEqual([])
})

describe('an incident that is open over a weekend', () => {
  beforeEach(async () => {
    await runAt('27T06:00')
    await runAt('27T08:45')
    expect(titles()).toHaveLength(2)
  })

  test('is neither reminded of nor called solved, and goes on with Monday’s deadline', async () => {
    for (const time of ['27T16:00', '28T08:20', '29T08:50', '30T05:00']) {
      expect((await runAt(time)).results).toMatchObject([{ outcome: 'skipped' }])
    }
    expect(titles()).toHaveLength(2)
    const { incident } = await record()
    expect(incident?.openedAt).toEqual(world.at('2026-11-27T06:00:00+05:30'))
    await runAt('30T08:15')
    expect(titles().at(-1)).toBe('Still open: Log in: FYERS fyers before Mon 30 Nov 09:15 IST')
    expect((await record()).incident?.id).toBe(incident?.id)
  })

  test('asks for nobody from Friday’s close to Monday morning', async () => {
    const help = async (): Promise<unknown> => helpFor(fyers, await record(), world.clock.now())
    expect(await help()).toBe('login')
    world.clock.set('2026-11-27T15:40:00+05:30')
    expect(await help()).toBeUndefined()
    world.clock.set('2026-11-30T06:00:00+05:30')
    expect(await help()).toBe('login')
  })

  test('is over once a token lives, though it will not see Monday: nobody is needed before', async () => {
    world.clock.set(FRIDAY_EVENING)
    await logIn()
    expect(titles().at(-1)).toBe('Solved: FYERS fyers')
    expect(world.alerts.at(-1)?.reason).toContain('valid until Sat 28 Nov 06:00 IST')
    await runAt('30T06:00')
    expect(titles().at(-1)).toBe('Log in: FYERS fyers before Mon 30 Nov 09:15 IST')
  })
})

test('a refresh token that was lost pages at once, and says from when a login helps', async () => {
  const need = { kind: 'token_lost', reason: 'it was lost', action: 'log in again' } as const
  await tell(fyers, await record(), need, world.ports)
  expect(world.alerts).toMatchObject([
    { severity: 'page', action: 'log in again; a login helps from Mon 30 Nov 06:00 IST' },
  ])
  world.clock.set('2026-11-30T06:00:00+05:30')
  await tell(fyers, await record(), need, world.ports)
  expect(world.alerts[1]?.action).toBe('log in again')
})

test('a grant that may be sent again on Saturday asks nobody on Friday evening', async () => {
  await world.store(account, { pin: USER.pin, refresh_token: simulator.refreshTokenFor(USER.fyId) })
  const now = world.at(FRIDAY_EVENING)
  const attempts = [3, 2, 1].map((hours) => now.subtract({ hours }))
  await world.change(account, { attempts })
  expect((await runAt('27T20:00')).results).toMatchObject([
    {
      outcome: 'failed',
      code: 'rate_limited',
      reason: expect.stringContaining('not before Sat 28 Nov 00:00'),
    },
  ])
  expect(titles()).toEqual([])
})

test('a passing fault that was on record is not what is told of a weekend', async () => {
  await world.store(account, { pin: USER.pin, refresh_token: simulator.refreshTokenFor(USER.fyId) })
  await runAt('27T07:00')
  await world.ports.vault.remove(account, 'refresh_token')
  for (let tries = 0; tries < 12; tries++) server.failNext(PROFILE, { kind: 'reply', status: 503, body: '' })
  await runAt('27T08:45')
  expect((await record()).last?.outcome).toBe('failed')
  await runAt('28T09:00')
  expect((await record()).last).toMatchObject({ outcome: 'skipped' })
})

test('the broker’s own app asks once its token would see the market open', async () => {
  const broker = configured(upstox, { pacingSeconds: 0, approvalAt: '03:00' })
  const secrets = { client_id: 'sim-api-key', client_secret: 'S3CRET-UPSTOX-APP' }
  const id = await world.account('upstox', secrets)
  const known = await world.ports.states.get(id)
  const state = { ...(known as AccountState), userId: 'SIM001' }
  const stored = await world.ports.vault.read(id, ['client_id', 'client_secret'])
  const due = (time: string): boolean =>
    approvalDue(broker, state, stored, world.at(`2026-11-${time}:00+05:30`)) !== undefined
  expect([due('30T02:59'), due('30T03:00'), due('30T03:29'), due('30T03:30'), due('30T08:00')]).toEqual([
    false,
    false,
    false,
    true,
    true,
  ])
  expect(due('27T20:00')).toBe(false)
})
