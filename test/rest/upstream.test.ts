import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import { type LocalServer, startLocalServer } from '../../lib/local/local-server.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import type { ReportedToken } from '../../lib/model/account-state.ts'
import { World } from '../support/world.ts'
import { RestWorld } from './support/rest-world.ts'

/** One installation in front of the broker, served for real, and another that is fed from it. */
let upstream: RestWorld
let server: LocalServer
let downstream: World
let account: AccountId

beforeEach(async () => {
  upstream = await RestWorld.open()
  await upstream.upstoxAccounts()
  server = await startLocalServer(upstream.app, 0)
  downstream = new World('2026-11-23T08:00:00+05:30')
  downstream.ports = {
    ...downstream.ports,
    hosts: { ...upstream.ports.hosts, TOKEN_SERVICE: server.url },
  }
  account = await downstream.account('upstox/ACC1', { password: await upstream.key(['token', 'refresh']) })
})

afterEach(async () => {
  await server.close()
  await Promise.all([upstream.close(), downstream.close()])
})

const run = (refused?: ReportedToken) =>
  downstream.runOne(upstox, { accounts: [account], ...(refused && { reported: refused }) })

function minutesPass(minutes: number): void {
  for (const world of [upstream, downstream]) world.clock.advance({ minutes })
}

describe('R2.5 one installation feeds another', () => {
  test('with the token it has published', async () => {
    expect(await run()).toMatchObject({
      outcome: 'refreshed',
      userID: 'SIM001',
      tokenValidity: '2026-11-24T03:30:00+05:30',
    })
    expect(await downstream.stored(account, 'access_token')).toBe(
      await upstream.stored(account, 'access_token'),
    )
  })

  test('with a new one, which it gets itself, once the broker has refused the old one', async () => {
    await run()
    const before = await downstream.stored(account, 'access_token')
    minutesPass(2)
    upstream.upstox.killAccessToken('SIM001')
    expect(await run({ generation: 1 })).toMatchObject({ outcome: 'refreshed' })
    const after = await downstream.stored(account, 'access_token')
    expect(after).not.toBe(before)
    expect(after).toBe(await upstream.stored(account, 'access_token'))
    expect(await upstream.record(account)).toMatchObject({ generation: 2 })
  })

  test('under another name', async () => {
    const other = await downstream.account(
      'upstox/ours',
      { password: await upstream.key(['token', 'refresh'], ['upstox/ACC2']) },
      { options: { upstreamAccountId: 'ACC2' } },
    )
    const { report } = await downstream.run(upstox, { accounts: [other] })
    expect(report.results).toMatchObject([{ outcome: 'refreshed', userID: 'SIM002' }])
  })
})

describe('what the other one is told', () => {
  test('while a person must log in, is that a person must', async () => {
    await run()
    minutesPass(2)
    upstream.upstox.killAccessToken('SIM001')
    upstream.service.script('ACC1', { refresh: [{ status: 423 }] })
    expect(await run({ generation: 1 })).toMatchObject({
      outcome: 'failed',
      code: 'human_action',
      reason: expect.stringContaining('waits for a person'),
    })
  })

  test('with a key that lacks a scope, is that its key is refused', async () => {
    await downstream.store(account, { password: await upstream.key(['refresh']) })
    expect(await run()).toMatchObject({ outcome: 'failed', code: 'client_rejected' })
  })

  test('of an account it may not know, is that there is none', async () => {
    await downstream.store(account, { password: await upstream.key(['token', 'refresh'], ['upstox/ACC2']) })
    expect(await run()).toMatchObject({
      outcome: 'failed',
      code: 'client_rejected',
      reason: expect.stringContaining('does not know the account'),
    })
  })

  test('while the first one is away, is to come again', async () => {
    await server.close()
    expect(await run()).toMatchObject({ outcome: 'failed', code: 'broker_unavailable' })
  })
})
