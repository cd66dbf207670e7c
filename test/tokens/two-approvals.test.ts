import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../lib/model/account-id.ts'
import { HTML_502, type SimulatedFault } from '../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../lib/simulators/kit/simulator-server.ts'
import { LoginWorld, success } from '../support/login-world.ts'

let world: LoginWorld
let server: SimulatorServer
let account: AccountId

beforeEach(async () => {
  world = new LoginWorld('2026-11-23T05:00:00+05:30')
  server = await world.serve(world.simulator)
  account = await world.loginAccount()
  await world.logIn(account)
  // The token of that login is dead the next morning.
  world.clock.set('2026-11-24T07:40:00+05:30')
  await world.ports.vault.remove(account, 'refresh_token')
  success(await world.logins.requestApproval({ account }))
  world.clock.set('2026-11-24T08:15:00+05:30')
})
afterEach(() => world.close())

const post = (body: unknown): Promise<void> => world.logins.acceptApproval({ account, body })
const status = () => world.tokenStatus(account)

describe('I10 a second request takes nothing from the first, which the broker keeps open', () => {
  test.each<[string, SimulatedFault]>([
    ['the broker throttled', { kind: 'reply', status: 429, body: '{}', headers: {} }],
    ['the broker refused', { kind: 'reply', status: 403, body: '{}', headers: {} }],
    ['the broker answered with a page', HTML_502],
    ['lost its reply', { kind: 'lost_reply' }],
  ])('%s', async (_, failure) => {
    server.failNext('/approval', failure)
    await world.logins.requestApproval({ account })
    await post(world.simulator.webhookOf('SIM001'))
    expect(await world.record(account)).toMatchObject({ generation: 2, accessToken: { source: 'approval' } })
    expect(await status()).toBe('live')
  })

  test('that never left us leaves the record as it was', async () => {
    const { approval, approvalRequests } = await world.record(account)
    world.failNext('http.send', { times: 'all' })
    expect(await world.logins.requestApproval({ account })).toMatchObject({ refused: true })
    expect(await world.record(account)).toMatchObject({ approval, approvalRequests })
  })

  test('that closes sooner does not close the first, nor shorten how long it keeps a token in doubt', async () => {
    await world.logIn(account)
    const until = world.clock.now().add({ minutes: 10 }).toString()
    server.failNext('/approval', { kind: 'reply', status: 200, body: JSON.stringify({ until }) })
    success(await world.logins.requestApproval({ account }))
    expect((await world.record(account)).doubt?.openUntil?.toString()).toBe('2026-11-24T04:10:00Z')
    world.clock.advance({ minutes: 15 })
    await post(world.simulator.webhookOf('SIM001'))
    expect((await world.record(account)).accessToken?.source).toBe('approval')
  })
})

describe('two requests that both were made', () => {
  beforeEach(async () => {
    success(await world.logins.requestApproval({ account }))
  })

  test('and both approved: the token that ended the other is published, and then nothing is open', async () => {
    world.clock.advance({ seconds: 5 })
    await post(world.simulator.webhookOf('SIM001'))
    expect((await world.record(account)).approval?.approvedAt).toBeDefined()
    expect(await status()).toBe('live')
    world.clock.advance({ seconds: 61 })
    expect(await status()).toBe('unproven')
    world.simulator.killAccessTokens()
    world.clock.advance({ seconds: 5 })
    const body = world.simulator.webhookOf('SIM001')
    await post(body)
    expect((await world.record(account)).generation).toBe(3)
    expect(await world.stored(account, 'access_token')).toBe(body['token'])
    world.clock.advance({ seconds: 5 })
    const after = JSON.stringify(await world.record(account))
    await post(world.simulator.webhookOf('SIM001'))
    expect(JSON.stringify(await world.record(account))).toBe(after)
  })

  test('the answer to the first still counts: its token is older than the second request', async () => {
    await post(world.simulator.webhookOf('SIM001', { issued: '2026-11-24T08:10:00+05:30' }))
    expect((await world.record(account)).generation).toBe(2)
  })

  test('an answer that is posted twice is no answer to the other', async () => {
    const body = world.simulator.webhookOf('SIM001')
    await post(body)
    world.clock.advance({ seconds: 5 })
    const after = JSON.stringify(await world.record(account))
    await post(body)
    expect(JSON.stringify(await world.record(account))).toBe(after)
  })

  test('what is answered once the first has closed ends what is awaited', async () => {
    world.clock.set('2026-11-24T09:45:00+05:30')
    await post(world.simulator.webhookOf('SIM001'))
    const { approval, generation } = await world.record(account)
    expect([generation, approval?.earlier]).toEqual([2, undefined])
  })
})
