import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { statusOf } from '../../../lib/accounts/account-status.ts'
import { iiflXts } from '../../../lib/brokers/iifl-xts/iifl-xts.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { AccountState } from '../../../lib/model/account-state.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import { IiflXtsSimulator } from '../../../lib/simulators/iifl-xts/iifl-xts-simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { adoptAccessToken } from '../../../lib/tokens/service/adopt.ts'
import { validateAccessToken } from '../../../lib/tokens/service/validate.ts'
import { recorded } from '../../support/recorded.ts'
import type { World } from '../../support/world.ts'
import { LOGIN, PROFILE, type XtsSetting, xtsSetting } from './iifl-xts-fixture.ts'

let world: World
let simulator: IiflXtsSimulator
let server: SimulatorServer
let account: AccountId
let only: XtsSetting['only']

beforeEach(async () => {
  ;({ world, simulator, server, account, only } = await xtsSetting())
})

afterEach(() => world.close())

describe('a login with app key and secret', () => {
  test('publishes a token that the profile call proved, for the user the login named', async () => {
    expect(await only()).toMatchObject({ outcome: 'refreshed', userID: 'SIMUSER1' })
    expect(await world.stored(account, 'access_token')).toMatch(/^sim\.xts\./)
    expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `POST ${LOGIN}`,
      `GET ${PROFILE}`,
    ])
    expect(server.seen.every(({ userAgent }) => userAgent?.startsWith('tokenkeeper/'))).toBe(true)
  })

  test('sends the body of the README byte for byte', async () => {
    await only()
    expect(simulator.lastLoginBodySha256).toBe(
      'dc8db7a016d135000f00d1156d441d1eb70b844f75d806da444c58dcba7c4344',
    )
  })

  test('of market data uses its own routes, and the user is pinned all the same', async () => {
    const md = await world.account(
      'iifl-xts/md',
      { client_id: 'SIMXTSMDKEY1', client_secret: 'S3CRET-OF-MD' },
      { options: { api: 'marketdata' } },
    )
    const { report } = await world.run(iiflXts, { accounts: [md] })
    expect(report.results[0]).toMatchObject({ outcome: 'refreshed', userID: 'SIMUSER1' })
    // Proven by the login: no call to prove it with is documented.
    expect(server.seen.map(({ path }) => path)).toEqual(['/apimarketdata/auth/login'])
  })

  describe('market data, which has no call to prove a token with', () => {
    const LOGIN = '/apimarketdata/auth/login'
    let md: AccountId

    beforeEach(async () => {
      md = await world.account(
        'iifl-xts/md',
        { client_id: 'SIMXTSMDKEY1', client_secret: 'S3CRET-OF-MD' },
        { options: { api: 'marketdata' } },
      )
      await world.run(iiflXts, { accounts: [md] })
    })

    test('is asked nothing near the open, and costs no second login', async () => {
      world.clock.advance({ minutes: 80 })
      const { report } = await world.run(iiflXts, { accounts: [md] })
      expect(report.results).toMatchObject([{ outcome: 'fresh', live: true }])
      expect(server.seen.map(({ path }) => path)).toEqual([LOGIN])
    })

    test('says of it neither that a proof is due nor that one is coming', async () => {
      world.clock.advance({ minutes: 80 })
      const record = (await world.ports.states.get(md)) as AccountState
      const now = world.clock.now()
      expect(statusOf(iiflXts, record, now)).toMatchObject({ state: 'fresh', summary: 'live' })
      const doubted = { ...record, doubt: { since: now, by: 'credentials' } } as const
      expect(statusOf(iiflXts, doubted, now)).toMatchObject({
        state: 'unproven',
        nextAction: 'the next run gets a new one: nothing but its login proves a token here',
      })
    })

    test('logs in again for a token that a consumer was refused with', async () => {
      world.clock.advance({ minutes: 40 })
      const { generation = 0 } = (await world.ports.states.get(md)) ?? {}
      const { report } = await world.run(iiflXts, { accounts: [md], reported: { generation } })
      expect(report.results).toMatchObject([{ outcome: 'refreshed', live: true }])
      expect(server.count(LOGIN)).toBe(2)
    })

    test('takes no token from elsewhere, and gives no verdict on a stored one', async () => {
      const given = {
        broker: iiflXts,
        account: md,
        accessToken: new Secret('SIMULATED-this-is-no-token-at-all'),
      }
      const before = await world.ports.states.get(md)
      await expect(adoptAccessToken(given, world.ports)).rejects.toThrow('only its own login does')
      await expect(validateAccessToken(iiflXts, md, world.ports)).rejects.toThrow('only its own login does')
      expect(await world.ports.states.get(md)).toEqual(before)
    })

    test('of an unknown hand is replaced by a login of ours', async () => {
      world.clock.advance({ minutes: 40 })
      await world.store(md, { access_token: 'SIMULATED-of-an-unknown-hand' })
      const { report } = await world.run(iiflXts, { accounts: [md] })
      expect(report.results).toMatchObject([{ outcome: 'refreshed', live: true }])
      expect(server.count(LOGIN)).toBe(2)
    })
  })

  test('the option clientID goes into the profile call of a dealer account', async () => {
    const sent = recorded(world)
    const dealer = await world.account(
      'iifl-xts/dealer',
      { client_id: 'SIMXTSAPPKEY', client_secret: 'S3CRET' },
      { options: { clientID: 'SIM CLIENT' } },
    )
    await world.run(iiflXts, { accounts: [dealer] })
    expect(sent.at(-1)?.url).toMatch(/\/interactive\/user\/profile\?clientID=SIM\+CLIENT$/)
  })

  test('an unknown api option stops before anything is sent', async () => {
    const odd = await world.account(
      'iifl-xts/odd',
      { client_id: 'K', client_secret: 'S' },
      { options: { api: 'both' } },
    )
    const { report } = await world.run(iiflXts, { accounts: [odd] })
    expect(report.results[0]).toMatchObject({ outcome: 'failed', code: 'configuration_invalid' })
    expect(server.seen).toHaveLength(0)
  })

  test('a token of another user than the pinned one is not published', async () => {
    await only()
    const before = await world.stored(account, 'access_token')
    await world.store(account, { client_id: 'SIMXTSAPPKEY-OF-2', client_secret: 'S3CRET-TWO' })
    const other = new IiflXtsSimulator(world.clock, [
      { product: 'interactive', appKey: 'SIMXTSAPPKEY-OF-2', secretKey: 'S3CRET-TWO', userId: 'SIMUSER2' },
    ])
    await world.serve(other)
    world.clock.advance({ minutes: 2 })
    expect(await only({ force: true })).toMatchObject({
      outcome: 'failed',
      code: 'wrong_account',
      userID: 'SIMUSER1',
    })
    expect(await world.stored(account, 'access_token')).toBe(before)
  })
})

describe('the lifetime', () => {
  test('an opaque token counts as dead from 07:30 IST, so each trading day begins with a login', async () => {
    expect(await only()).toMatchObject({ tokenValidity: '2026-11-24T07:30:00+05:30' })
    world.clock.set('2026-11-23T09:00:00+05:30')
    expect(await only()).toMatchObject({ outcome: 'fresh' })
    world.clock.set('2026-11-24T07:29:59+05:30')
    expect(await only()).toMatchObject({ outcome: 'fresh' })
    world.clock.set('2026-11-24T07:30:00+05:30')
    expect(await only()).toMatchObject({ outcome: 'refreshed', tokenValidity: '2026-11-25T07:30:00+05:30' })
    expect(simulator.logins).toBe(2)
  })

  test("a JWT's exp is an upper bound", async () => {
    simulator.behaviour.tokens = 'jwt'
    expect(await only()).toMatchObject({ tokenValidity: '2026-11-23T23:59:00+05:30' })
    simulator.behaviour.death = { at: '07:00', timeZone: 'Asia/Kolkata' }
    world.clock.set('2026-11-24T06:59:00+05:30')
    expect(await only()).toMatchObject({ outcome: 'refreshed', tokenValidity: '2026-11-24T07:00:00+05:30' })
  })

  test('a stored token of somebody else is proven before it is used, and the pinned user stays', async () => {
    await only()
    await world.store(account, { access_token: simulator.tokenFor('interactive', 'SIMUSER1') })
    expect(await only()).toMatchObject({ outcome: 'refreshed', userID: 'SIMUSER1' })
    expect(simulator.logins).toBe(1)
  })

  test('a stored token that is dead is replaced by one login', async () => {
    await world.store(account, { access_token: simulator.tokenFor('interactive', 'SIMUSER1') })
    simulator.endSessions('interactive', 'SIMUSER1')
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(simulator.logins).toBe(1)
  })

  test('twenty runs at once log in once', async () => {
    const runs = await Promise.all(Array.from({ length: 20 }, () => only()))
    expect(simulator.logins).toBe(1)
    expect(runs.every(({ success }) => success)).toBe(true)
  })
})

test('no key and no token is said anywhere', async () => {
  await only()
  const token = await world.stored(account, 'access_token')
  world.clock.set('2026-11-24T07:30:00+05:30')
  await world.store(account, { client_secret: 'S3CRET-WRONG' })
  await only()
  for (const secret of ['SIMXTSAPPKEY', 'S3CRET', token as string]) expect(world.said()).not.toContain(secret)
})
