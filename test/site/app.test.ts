import { createHash } from 'node:crypto'
import type { Hono } from 'hono'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { iifl } from '../../lib/brokers/iifl.ts'
import { upstox } from '../../lib/brokers/upstox.ts'
import { TokenServiceSimulator } from '../../lib/simulators/token-service-simulator.ts'
import { UpstoxSimulator } from '../../lib/simulators/upstox-simulator.ts'
import { siteApp } from '../../lib/site/app.ts'
import { StateStoreError } from '../../lib/tokens/errors.ts'
import { World } from '../support/world.ts'

const APP = {
  clientId: 'sim-api-key',
  secret: 'S3CRET-UPSTOX-APP',
  redirectUri: 'https://example.invalid/cb',
}

let world: World
let broker: UpstoxSimulator
let app: Hono

beforeEach(async () => {
  world = new World('2026-11-23T08:00:00+05:30')
  broker = new UpstoxSimulator(world.clock, APP, [{ userId: 'SIM001', name: 'USER ONE' }])
  await world.serve(broker)
  await world.serve(new TokenServiceSimulator(world.clock, { ACC1: () => broker.accessTokenFor('SIM001') }))
  app = siteApp({ brokers: [iifl, upstox], ports: world.ports, timeZone: 'Asia/Kolkata', status: true })
})
afterEach(() => world.close())

async function get(path: string): Promise<{ status: number; body: Record<string, unknown>; text: string }> {
  const reply = await app.request(path)
  const text = await reply.text()
  return { status: reply.status, text, body: JSON.parse(text) }
}

test('R2.1 health tells how many tokens are there and the time, and no account’s name', async () => {
  await world.account('upstox/ACC1', {})
  await world.account('upstox/ACC2', {})
  await world.account('iifl/ELSEWHERE', {}, { managedBy: 'external' })
  await world.run(upstox)
  const { status, body, text } = await get('/health')
  expect(status).toBe(200)
  expect(body).toMatchObject({
    status: 'ok',
    tokens: 'partial',
    accounts: { total: 2, live: 1, expired: 0, missing: 1 },
    time: '2026-11-23T08:00:00+05:30',
  })
  expect(text).not.toMatch(/ACC|ELSEWHERE|SIM001/)
})

test('R1.7 R2.2 the status of an account has its expiry, source and fingerprint, and never its token', async () => {
  const account = await world.account('upstox/ACC1', {})
  await world.run(upstox)
  const token = (await world.stored(account, 'access_token')) as string
  world.clock.advance({ seconds: 5 })
  for (const path of ['/token/status', '/accounts/ACC1/token/status', '/accounts/upstox/ACC1/token/status']) {
    const { status, body, text } = await get(path)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      account_id: 'ACC1',
      state: 'fresh',
      live: true,
      expires_at: '2026-11-24T03:30:00+05:30',
      expires_in: 70_195,
      last_validated_at: '2026-11-23T08:00:00+05:30',
      source: 'upstream',
      fingerprint: createHash('sha256').update(token).digest('hex').slice(0, 16),
      last_error: null,
    })
    expect(text).not.toContain(token)
    expect(text).not.toContain(token.slice(0, 20))
  }
})

test('a token that has died, was removed, or never came is not called live', async () => {
  const account = await world.account('upstox/ACC1', {})
  expect((await get('/token/status')).body).toMatchObject({ state: 'missing', live: false, expires_at: null })
  await world.run(upstox)
  await world.ports.vault.remove(account, 'access_token')
  expect((await get('/token/status')).body).toMatchObject({ live: false, fingerprint: null })
  world.clock.set('2026-11-24T03:29:30+05:30')
  expect((await get('/token/status')).body).toMatchObject({ state: 'expired', live: false })
})

test('several accounts: the first of Upstox stands for all, and a list follows', async () => {
  await world.account('iifl/A', {})
  await world.account('upstox/ACC1', {})
  const { body } = await get('/token/status')
  expect(body).toMatchObject({
    account_id: 'ACC1',
    accounts: [{ account: 'iifl/A' }, { account: 'upstox/ACC1' }],
  })
})

test('an unknown account and an empty installation are 404 with a word why', async () => {
  expect(await get('/token/status')).toMatchObject({ status: 404, body: { error: { code: 'no_accounts' } } })
  await world.account('iifl/SAME', {})
  await world.account('upstox/ACC1', {})
  expect(await get('/accounts/NOBODY/token/status')).toMatchObject({
    status: 404,
    body: { error: { code: 'unknown_account', account_id: 'NOBODY' } },
  })
  expect((await get('/accounts/SAME/token/status')).body).toMatchObject({ account: 'iifl/SAME' })
})

test('a store that cannot be read is 503 in our words', async () => {
  const broken = {
    ...world.ports.states,
    list: () => {
      throw new StateStoreError('the local state store could not be used')
    },
  }
  app = siteApp({
    brokers: [upstox],
    ports: { ...world.ports, states: broken },
    timeZone: 'UTC',
    status: true,
  })
  expect(await get('/health')).toMatchObject({ status: 503, body: { error: { code: 'state' } } })
})
