import { Temporal } from 'temporal-polyfill'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { upstox } from '../../../lib/brokers/upstox/upstox.ts'
import { parseSchedule } from '../../../lib/markets/schedule.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { expiryOf } from '../../../lib/model/expiry/session-model.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import { simulatedJwt } from '../../../lib/simulators/kit/simulated-token.ts'
import { HTML_200, HTML_502 } from '../../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { UpstoxSimulator } from '../../../lib/simulators/upstox/upstox-simulator.ts'
import { World } from '../../support/world.ts'

const PROFILE = '/v2/user/profile'
const APP = {
  clientId: '615b1297-0000-4000-8000-000000000001',
  secret: 'S3CRET-UPSTOX-APP',
  redirectUri: 'https://example.invalid/cb?x=1',
}
const USERS = [
  { userId: 'SIM001', name: 'SIM USER ONE' },
  { userId: 'SIM002', name: 'SIM USER TWO' },
]

let world: World
let simulator: UpstoxSimulator
let server: SimulatorServer
let account: AccountId

beforeEach(async () => {
  world = new World('2026-11-23T08:00:00+05:30')
  simulator = new UpstoxSimulator(world.clock, APP, USERS)
  server = await world.serve(simulator)
  account = await world.account('upstox', { client_id: APP.clientId, client_secret: APP.secret })
})

afterEach(() => world.close())

const only = () => world.runOne(upstox)

/** Puts a token into the vault as `put` or another program does. */
async function put(token: string): Promise<void> {
  await world.store(account, { access_token: token })
}

describe('without a token service only a person can help', () => {
  test('the person is asked once a day however often the run comes by', async () => {
    expect(await only()).toMatchObject({ outcome: 'awaiting_login', reason: 'no access token is stored' })
    world.clock.advance({ minutes: 15 })
    expect(await only()).toMatchObject({ outcome: 'awaiting_login' })
    expect(world.news).toHaveLength(1)
    expect(world.news[0]).toMatchObject({
      kind: 'login_needed',
      action: expect.stringContaining(upstox.login.how),
    })
  })

  test('R1.6 an imported access token is proven before it counts, and the person is told that it is over', async () => {
    await only()
    await put(simulator.accessTokenFor('SIM001'))
    expect(await only()).toMatchObject({
      outcome: 'refreshed',
      userID: 'SIM001',
      clientName: 'SIM USER ONE',
      tokenValidity: '2026-11-24T03:30:00+05:30',
    })
    expect(server.count(PROFILE)).toBe(1)
    expect(world.news.map(({ kind }) => kind)).toEqual(['login_needed', 'solved'])
  })

  test('R1.1 the record says when the token dies and what decided it', async () => {
    await put(simulator.accessTokenFor('SIM001'))
    await only()
    expect((await world.ports.states.get(account))?.accessToken).toMatchObject({
      expiresAt: world.at('2026-11-24T03:30:00+05:30'),
      expiryDecidedBy: "the token's own exp",
    })
  })

  test('a token proven near the open is fresh for the rest of the day without another call', async () => {
    await put(simulator.accessTokenFor('SIM001'))
    world.clock.set('2026-11-23T08:45:00+05:30')
    await only()
    world.clock.set('2026-11-23T15:00:00+05:30')
    expect(await only()).toMatchObject({ outcome: 'fresh', success: true })
    expect(server.seen).toHaveLength(1)
  })

  test('a dead imported token is refused once and a person is asked', async () => {
    await put(simulator.accessTokenFor('SIM001'))
    simulator.killAccessToken('SIM001')
    expect(await only()).toMatchObject({ outcome: 'awaiting_login' })
    expect(await only()).toMatchObject({ outcome: 'awaiting_login' })
    expect(server.count(PROFILE)).toBe(1)
  })

  test('an imported token of another user changes nothing that is known', async () => {
    await put(simulator.accessTokenFor('SIM001'))
    await only()
    await put(simulator.accessTokenFor('SIM002'))
    expect(await only()).toMatchObject({ outcome: 'awaiting_login', userID: 'SIM001' })
    expect(await world.ports.states.get(account)).toMatchObject({ userId: 'SIM001', generation: 1 })
  })

  test('a token whose sub is not the user of the profile is refused', async () => {
    await put(simulator.accessTokenFor('SIM001'))
    simulator.behaviour.profileOf = 'SIM002'
    expect(await only()).toMatchObject({ outcome: 'awaiting_login', userID: null })
    expect(world.logs).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ code: 'wrong_account' }) }),
    )
  })

  test('fields that only some versions of the docs have are ignored', async () => {
    simulator.behaviour.extraFields = true
    await put(simulator.accessTokenFor('SIM001'))
    expect(await only()).toMatchObject({ outcome: 'refreshed', tokenValidity: '2026-11-24T03:30:00+05:30' })
  })

  test('our User-Agent passes the edge', async () => {
    await put(simulator.accessTokenFor('SIM001'))
    await only()
    expect(server.seen[0]?.userAgent).toMatch(/^tokenkeeper\/\d/)
  })

  test('no secret is said anywhere', async () => {
    const token = simulator.accessTokenFor('SIM001')
    await put(token)
    simulator.killAccessToken('SIM001')
    await only()
    for (const secret of [token, APP.secret]) expect(world.said()).not.toContain(secret)
  })
})

describe('the lifetime of a token', () => {
  test.each([
    ['2026-06-10T13:29:00+05:30', 1781128800],
    ['2026-06-10T02:30:00+05:30', 1781042400],
    ['2026-09-12T13:57:47+05:30', 1789250400],
    ['2026-09-14T08:00:00+05:30', 1789423200],
  ])('without any expiry of its own ends at the next 03:30 IST after %s', (at, epochSeconds) => {
    const issued = { token: new Secret('opaque.token.x'), at: Temporal.Instant.from(at) }
    const { expiresAt, decidedBy } = expiryOf(upstox.session.accessToken, issued)
    expect(expiresAt.epochMilliseconds).toBe(epochSeconds * 1000)
    expect(decidedBy).toBe('03:30 Asia/Kolkata')
  })

  test('is never longer than the next 03:30 IST, whatever its exp says', () => {
    const at = Temporal.Instant.from('2026-11-23T08:00:00+05:30')
    const token = new Secret(simulatedJwt({}, { issuedAt: at, expiresAt: at.add({ hours: 48 }) }))
    const { expiresAt } = expiryOf(upstox.session.accessToken, { token, at })
    expect(expiresAt).toEqual(Temporal.Instant.from('2026-11-24T03:30:00+05:30'))
  })
})

describe('the profile call', () => {
  beforeEach(async () => put(simulator.accessTokenFor('SIM001')))

  test.each([HTML_502, HTML_200])(
    'tries a passing fault again within the run and pages nobody',
    async (fault) => {
      server.failNext(PROFILE, fault)
      expect(await only()).toMatchObject({ outcome: 'refreshed' })
      expect(world.news).toHaveLength(0)
    },
  )

  test('a 429, which has no Retry-After, is sat out for a minute', async () => {
    server.failNext(PROFILE, { kind: 'reply', status: 429, body: '{}' })
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    const seconds = world.at('2026-11-23T08:00:00+05:30').until(world.clock.now()).total('seconds')
    expect(seconds).toBeGreaterThanOrEqual(60)
    expect(seconds).toBeLessThan(90)
  })

  test('a success without a user id is a changed contract, and the token is not published', async () => {
    server.failNext(PROFILE, { kind: 'reply', status: 200, body: '{"status":"success","data":{}}' })
    await only()
    expect((await world.ports.states.get(account))?.generation).toBe(0)
    expect(world.logs).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ code: 'response_unexpected' }) }),
    )
  })
})

describe('the schedule', () => {
  const daily = parseSchedule(upstox.schedule.expressions[0], upstox.schedule.timeZone)
  const next = (after: string): string => {
    const ms = daily.next(Temporal.Instant.from(after).epochMilliseconds)
    return Temporal.Instant.fromEpochMilliseconds(ms ?? 0).toString()
  }

  test.each([
    ['the month', '2026-11-30T08:00:00+05:30', '2026-12-01T02:30:00Z'],
    ['the year', '2026-12-31T08:00:00+05:30', '2027-01-01T02:30:00Z'],
    ['February of a leap year', '2028-02-28T08:00:00+05:30', '2028-02-29T02:30:00Z'],
  ])('R2.9 runs at 08:00 IST, which is 02:30 UTC, across the end of %s', (_end, after, expected) => {
    expect(next(after)).toBe(expected)
  })

  test('tries again on weekday mornings before the market opens', () => {
    const catchUp = parseSchedule(upstox.schedule.expressions[1], upstox.schedule.timeZone)
    const times: string[] = []
    let ms = world.at('2026-11-23T00:00:00+05:30').epochMilliseconds
    for (let i = 0; i < 4; i++) {
      ms = catchUp.next(ms) ?? 0
      times.push(
        Temporal.Instant.fromEpochMilliseconds(ms).toString({ timeZone: 'Asia/Kolkata' }).slice(0, 16),
      )
    }
    expect(times).toEqual(['2026-11-23T08:15', '2026-11-23T08:30', '2026-11-23T08:45', '2026-11-24T08:15'])
  })
})

describe('the credentials', () => {
  test('R1.6 the names of the guide’s .env are known', () => {
    const names = upstox.credentials.flatMap(({ env }) => [...env])
    expect(names).toEqual(
      expect.arrayContaining([
        'UPSTOX_API_KEY',
        'UPSTOX_API_SECRET',
        'UPSTOX_ACCESS_TOKEN',
        'UPSTOX_REDIRECT_URI',
      ]),
    )
  })

  test('a redirect URI that is no URL is named without being repeated', async () => {
    await world.store(account, { redirect_uri: 'example cb' })
    const result = await only()
    expect(result).toMatchObject({ outcome: 'failed', code: 'configuration_invalid' })
    expect(result['reason']).toContain('redirect_uri')
    expect(world.said()).not.toContain('example cb')
  })
})
