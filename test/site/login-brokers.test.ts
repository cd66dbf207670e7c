import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { iifl } from '../../lib/brokers/iifl/iifl.ts'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import { zerodha } from '../../lib/brokers/zerodha/zerodha.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import type { SecretName } from '../../lib/model/secrets/secret-name.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import { FyersSimulator } from '../../lib/simulators/fyers/fyers-simulator.ts'
import { IiflSimulator } from '../../lib/simulators/iifl/iifl-simulator.ts'
import type { Simulator } from '../../lib/simulators/kit/simulator.ts'
import type { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { UpstoxSimulator } from '../../lib/simulators/upstox/upstox-simulator.ts'
import { ZerodhaSimulator } from '../../lib/simulators/zerodha/zerodha-simulator.ts'
import { World } from '../support/world.ts'
import { SITE, type Site, siteOf } from './support/site.ts'
import { type Reply, redirectOf, type SiteBrowser, textOf } from './support/site-browser.ts'

const SECRET = 'SIMULATED-app-secret'
const NAMES = { first: 'ASHA SIMULATED', second: 'BINA SIMULATED' }

interface Case {
  readonly broker: Broker
  readonly secrets: Partial<Record<SecretName, string>>
  readonly users: readonly [string, string]
  /** The masked second user, as a wrong account is told. */
  readonly masked: string
  readonly validUntil: string
  readonly simulator: (clock: VirtualClock) => Simulator & { behaviour: { automaticLogin?: string } }
}

const iiflUser = (clientId: string, name: string) => ({
  clientId,
  name,
  password: 'Simulated-Passw0rd',
  totpSecret: 'JBSWY3DPEHPK3PXP',
  appKey: 'SIMULATED-app-key',
  appSecret: SECRET,
})

const CASES: readonly Case[] = [
  {
    broker: fyers,
    secrets: { client_id: 'SIMFYERS01-100', client_secret: SECRET },
    users: ['XS00001', 'XS00002'],
    masked: 'XS…02',
    validUntil: 'Tue 24 Nov 06:00 IST',
    simulator: (clock) =>
      new FyersSimulator(clock, { clientId: 'SIMFYERS01-100', secret: SECRET }, [
        { fyId: 'XS00001', name: NAMES.first, pin: '2580' },
        { fyId: 'XS00002', name: NAMES.second, pin: '1470' },
      ]),
  },
  {
    broker: upstox,
    secrets: { client_id: 'sim-api-key', client_secret: SECRET },
    users: ['SIM001', 'SIM002'],
    masked: 'SI…02',
    validUntil: 'Tue 24 Nov 03:30 IST',
    simulator: (clock) => {
      const app = { clientId: 'sim-api-key', secret: SECRET, redirectUri: `${SITE}/callback/upstox` }
      return new UpstoxSimulator(clock, app, [
        { userId: 'SIM001', name: NAMES.first },
        { userId: 'SIM002', name: NAMES.second },
      ])
    },
  },
  {
    broker: iifl,
    secrets: { user_id: 'SIM10001', client_id: 'SIMULATED-app-key', client_secret: SECRET },
    users: ['SIM10001', 'SIM10002'],
    masked: 'SI…02',
    validUntil: 'Tue 24 Nov 06:00 IST',
    simulator: (clock) =>
      new IiflSimulator(clock, [iiflUser('SIM10001', NAMES.first), iiflUser('SIM10002', NAMES.second)]),
  },
  {
    broker: zerodha,
    secrets: { client_id: 'kiteapikey123', client_secret: SECRET },
    users: ['SIM001', 'SIM002'],
    masked: 'SI…02',
    validUntil: 'Tue 24 Nov 06:00 IST',
    simulator: (clock) => {
      const app = { apiKey: 'kiteapikey123', secret: SECRET, redirectUrl: `${SITE}/callback/zerodha` }
      return new ZerodhaSimulator(clock, app, [
        { userId: 'SIM001', name: NAMES.first },
        { userId: 'SIM002', name: NAMES.second },
      ])
    },
  },
]

describe.each(CASES)('at $broker.id', ({ broker, secrets, users, masked, validUntil, simulator: make }) => {
  let world: World
  let simulator: ReturnType<Case['simulator']>
  let site: Site
  let browser: SiteBrowser
  let account: AccountId

  beforeEach(async () => {
    world = new World('2026-11-23T08:12:00+05:30')
    simulator = make(world.clock)
    await world.serve(simulator)
    account = await world.account(`${broker.id}/ACC1`, secrets, { nickname: 'Asha' })
    await world.run(broker)
    site = await siteOf(world, [broker])
    browser = await site.visitor(account)
  })
  afterEach(() => world.close())

  /** Presses the button and logs in as `user` on the page of the broker. */
  async function back(user: string): Promise<string> {
    const leaving = await browser.press(
      await browser.get('/login'),
      `Log in at ${broker.displayName} for Asha`,
    )
    expect(leaving.status).toBe(303)
    simulator.behaviour.automaticLogin = user
    return redirectOf(leaving.location)
  }

  const logIn = async (user: string): Promise<Reply> => browser.follow(await back(user))

  test('one tap of ours leads to a token that is proven, stored and shown with the client’s name', async () => {
    const receipt = textOf((await logIn(users[0])).text)
    expect(receipt).toContain(`Done: Asha at ${broker.displayName} ✓ Logged in, proven and saved`)
    expect(receipt).toContain(`Account ${NAMES.first}, ${users[0]} Valid until ${validUntil}`)
    expect(receipt).toContain(
      "Covers today's session: yes, until 15:40. Next login: before Wed 25 Nov 09:15 IST.",
    )
    expect(receipt).toContain('1 of 1 done. You can close this page.')
    expect(await world.ports.states.get(account)).toMatchObject({
      generation: 1,
      last: { outcome: 'refreshed' },
      accessToken: { source: 'login' },
    })
    expect(await world.stored(account, 'access_token')).toBeDefined()
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed', 'solved'])
  })

  test('a reload spends no second code', async () => {
    const address = await back(users[0])
    const first = await browser.follow(address)
    world.clock.advance({ minutes: 2 })
    const token = await world.stored(account, 'access_token')
    expect(textOf((await browser.follow(address)).text)).toBe(textOf(first.text))
    expect(await world.stored(account, 'access_token')).toBe(token)
  })

  test('the login of somebody else changes nothing and is told with their id masked', async () => {
    await logIn(users[0])
    const before = await world.stored(account, 'access_token')
    world.clock.set('2026-11-25T08:12:00+05:30')
    await world.run(broker)
    browser = await site.visitor(account)
    const page = await logIn(users[1])
    expect(textOf(page.text)).toMatch(/^Wrong account: nothing was changed/)
    expect(textOf(page.text)).toContain(masked)
    expect(page.text).not.toContain(users[1])
    expect(await world.stored(account, 'access_token')).toBe(before)
    expect(await world.ports.states.get(account)).toMatchObject({ generation: 1, userId: users[0] })
  })

  test('another browser cannot end the login, and neither code, state nor secret is on any page', async () => {
    const address = await back(users[0])
    const other = await site.visitor(account)
    expect((await other.get(address)).location).toBe('/problem/other_browser')
    const receipt = await browser.follow(address)
    const hidden = [...new URL(address).searchParams.values(), SECRET].filter((value) => value.length > 8)
    for (const page of [receipt, await browser.get('/login')]) {
      for (const value of hidden) expect(page.text).not.toContain(value)
    }
    for (const value of hidden) expect(world.said()).not.toContain(value)
  })
})
