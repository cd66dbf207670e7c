import { Hono } from 'hono'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import { type LocalServer, startLocalServer } from '../../lib/local/local-server.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import type { WebhookVariant } from '../../lib/simulators/upstox/approvals.ts'
import { UpstoxSimulator } from '../../lib/simulators/upstox/upstox-simulator.ts'
import { ensureSigningKey, storedSigningKeys } from '../../lib/site/signing-keys.ts'
import { webhookPath } from '../../lib/site/webhook-path.ts'
import { World } from '../support/world.ts'
import { SITE, type Site, siteOf } from './support/site.ts'
import { redirectOf, type SiteBrowser, textOf } from './support/site-browser.ts'

const ACCOUNT = parseAccountId('upstox/ACC1')
const APP = {
  clientId: 'sim-api-key',
  secret: 'SIMULATED-app-secret',
  redirectUri: `${SITE}/callback/upstox`,
}

let world: World
let server: LocalServer
let simulator: UpstoxSimulator
let site: Site
let browser: SiteBrowser

/** The morning after a first login on the web, with the notifier address registered in the app at Upstox. */
beforeEach(async () => {
  world = new World('2026-11-23T08:12:00+05:30')
  await ensureSigningKey(world.ports.vault)
  const front = new Hono().all('*', ({ req }) => site.app.fetch(req.raw))
  server = await startLocalServer(front, 0)
  const path = await webhookPath(storedSigningKeys(world.ports.vault, world.clock), ACCOUNT)
  simulator = new UpstoxSimulator(world.clock, { ...APP, notifierUrl: server.url + path }, [
    { userId: 'SIM001', name: 'ASHA SIMULATED' },
    { userId: 'SIM002', name: 'BINA SIMULATED' },
  ])
  await world.serve(simulator)
  await world.account(ACCOUNT, { client_id: APP.clientId, client_secret: APP.secret }, { nickname: 'Asha' })
  site = await siteOf(world, [upstox])
  await world.run(upstox)
  browser = await site.visitor(ACCOUNT)
  simulator.behaviour.automaticLogin = 'SIM001'
  const leaving = await browser.press(await browser.get('/login'), 'Log in at Upstox for Asha')
  await browser.follow(await redirectOf(leaving.location))
  world.clock.set('2026-11-25T08:00:00+05:30')
  await world.run(upstox)
  browser = await site.visitor(ACCOUNT)
})
afterEach(async () => {
  await server.close()
  await world.close()
})

const ask = async (): Promise<void> => {
  const asked = await browser.press(await browser.get('/login'), 'Ask me in the Upstox app for Asha')
  expect(asked.location).toBe(`/waiting/${ACCOUNT}`)
}
const waiting = async (): Promise<string> => textOf((await browser.get(`/waiting/${ACCOUNT}`)).text)
const generation = async (): Promise<number | undefined> =>
  (await world.ports.states.get(ACCOUNT))?.generation

test('one tap here and one in the Upstox app end in a proven token', async () => {
  await ask()
  expect(simulator.approvalRequests).toBe(1)
  expect(await waiting()).toMatch(/^Approve in the Upstox app/)
  world.clock.advance({ seconds: 40 })
  expect(await simulator.approve('SIM001')).toEqual([200])
  expect(await waiting()).toMatch(
    /^Done: Asha at Upstox ✓ Logged in, proven and saved Account ASHA SIMULATED, SIM001 Valid until Thu 26 Nov 03:30 IST Covers today's session: yes, until 15:40\. Next login: before Thu 26 Nov 09:15 IST\./,
  )
  expect(await generation()).toBe(2)
})

test('a duplicate post changes nothing more', async () => {
  await ask()
  expect(await simulator.approve('SIM001', 'duplicated')).toEqual([200, 200])
  expect(await generation()).toBe(2)
})

test.each<WebhookVariant>(['wrong_client_id', 'wrong_user_id', 'wrong_message_type', 'dead_token'])(
  'a post with %s leaves the page waiting',
  async (variant) => {
    await ask()
    expect(await simulator.approve('SIM001', variant)).toEqual([200])
    expect(await waiting()).toMatch(/^Approve in the Upstox app/)
    expect(await generation()).toBe(1)
  },
)

test('the approval of another customer of the app is not this account’s', async () => {
  await ask()
  expect(await simulator.approve('SIM002')).toEqual([200])
  expect(await generation()).toBe(1)
})

test('a post that nobody asked for changes nothing', async () => {
  expect(await simulator.approve('SIM001')).toEqual([200])
  expect(await generation()).toBe(1)
})
