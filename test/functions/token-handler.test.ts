import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Compose } from '../../functions/runtime/composition.ts'
import { refreshHandler } from '../../functions/runtime/refresh/refresh-handler.ts'
import { readTokenEvent } from '../../functions/runtime/token/token-event.ts'
import { iifl } from '../../lib/brokers/iifl/iifl.ts'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import { type AccountId, parseAccountId } from '../../lib/model/account-id.ts'
import { maskSecrets } from '../../lib/model/secrets/secret.ts'
import { RestWorld } from '../rest/support/rest-world.ts'
import { captureOutput, lambdaContext } from './lambda.ts'

let world: RestWorld
let account: AccountId
let output: ReturnType<typeof captureOutput>
let handler: ReturnType<typeof refreshHandler>

const compose: Compose = (broker, telemetry) => ({
  broker,
  ports: { ...world.ports, telemetry },
  followUp: { handOver: async () => {} },
})

beforeEach(async () => {
  world = await RestWorld.open()
  ;[account] = await world.upstoxAccounts()
  world.clock.advance({ minutes: 2 })
  output = captureOutput()
  handler = refreshHandler(upstox, compose)
})

afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await world.close()
})

const validate = () => handler({ validate: { account } }, lambdaContext())
const adopt = (accessToken: string, more: object = {}) =>
  handler({ adopt: { account, accessToken, replaceNewer: false, ...more } }, lambdaContext())

describe('a token that is handed in', () => {
  test('R2.4 is proven, published, and the reply does not repeat it', async () => {
    const token = world.upstox.accessTokenFor('SIM001')
    const reply = await adopt(token, { expiresAt: '2026-11-24T03:30:00+05:30' })
    expect(reply).toMatchObject({ success: true, account, userID: 'SIM001', outcome: 'refreshed' })
    expect(JSON.stringify(reply)).not.toContain(token)
    expect(await world.stored(account, 'access_token')).toBe(token)
  })

  test('R3.9 of an account that had failed ends the alarm, unless another one is left', async () => {
    const other = parseAccountId('upstox/ACC2')
    const last = { at: world.clock.now(), outcome: 'failed', reason: 'a passing fault' } as const
    await world.change(account, { last })
    await world.change(other, { last })
    const none = () => output.lines().filter((line) => 'Unsuccessful' in line)
    expect(await adopt(world.upstox.accessTokenFor('SIM001'))).toMatchObject({ success: true })
    expect(none()).toEqual([])
    await world.change(other, { last: undefined })
    expect(await adopt(world.upstox.accessTokenFor('SIM001'))).toMatchObject({ success: true })
    expect(none()).toMatchObject([{ Unsuccessful: 0, broker: 'upstox' }])
  })

  test('R2.4 that is another user’s is refused, and nothing changes', async () => {
    const before = await world.stored(account, 'access_token')
    expect(await adopt(world.upstox.accessTokenFor('SIM002'))).toMatchObject({
      refused: true,
      code: 'wrong_account',
    })
    expect(await world.stored(account, 'access_token')).toBe(before)
  })

  test('while another run holds the account is refused with the time to wait', async () => {
    const lease = { owner: 'another', until: world.clock.now().add({ seconds: 90 }) }
    await world.change(account, { lease })
    expect(await adopt(world.upstox.accessTokenFor('SIM001'))).toMatchObject({
      refused: true,
      code: 'busy',
      retryAfterSeconds: 90,
    })
  })
})

describe('a validation', () => {
  test('R2.3 says what the broker says, in plain JSON', async () => {
    const reply = await validate()
    expect(reply).toEqual({ account, valid: true, checkedAt: '2026-11-23T08:02:00+05:30', userID: 'SIM001' })
    expect(JSON.parse(JSON.stringify(reply))).toEqual(reply)
    world.upstox.killAccessToken('SIM001')
    expect(await validate()).toMatchObject({ valid: false, problem: { code: 'grant_rejected' } })
    expect(await world.record(account)).toMatchObject({ generation: 1, refusedVersion: 1 })
  })
})

describe('a run for somebody who was refused', () => {
  test('R2.7 renews the token it is about, and leaves a newer one alone', async () => {
    const event = { accounts: [account], refused: { generation: 1 } }
    expect(await handler(event, lambdaContext())).toMatchObject({ results: [{ outcome: 'fresh' }] })
    world.upstox.killAccessToken('SIM001')
    world.clock.advance({ minutes: 2 })
    expect(await handler(event, lambdaContext())).toMatchObject({ results: [{ outcome: 'refreshed' }] })
    const before = world.serviceServer.seen.length
    expect(await handler(event, lambdaContext())).toMatchObject({ results: [{ outcome: 'fresh' }] })
    expect(world.serviceServer.seen.length).toBe(before)
  })
})

describe('what goes wrong is the reply', () => {
  test.each([
    ['an account of another broker', { account: 'fyers', accessToken: 'CANARY-TOKEN', replaceNewer: false }],
    ['an account that is no id', { account: '../CANARY', accessToken: 'CANARY-TOKEN', replaceNewer: false }],
    ['a field too many', { account: 'upstox', accessToken: 'CANARY-TOKEN', replaceNewer: false, more: 1 }],
    ['a missing field', { account: 'upstox', accessToken: 'CANARY-TOKEN' }],
    ['a token of 9 kB', { account: 'upstox', accessToken: 'CANARY'.repeat(1_500), replaceNewer: false }],
  ])('%s, with nothing of the event', async (_, order) => {
    const reply = await handler({ adopt: order }, lambdaContext())
    expect(reply).toMatchObject({ refused: true, code: 'configuration_invalid' })
    expect(JSON.stringify(reply) + output.text()).not.toContain('CANARY')
  })

  test('two kinds of work in one event', () => {
    const event = {
      adopt: { account: 'iifl', accessToken: 'x', replaceNewer: true },
      validate: { account: 'iifl' },
    }
    expect(() => readTokenEvent(iifl, event)).toThrow('cannot be understood')
  })

  test('a store that is down', async () => {
    world.failNext('states.get', { times: 'all' })
    expect(await validate()).toMatchObject({ refused: true, code: 'state', fix: 'wait' })
  })

  test('a wrong environment', async () => {
    const reply = await refreshHandler(upstox)({ validate: { account } }, lambdaContext())
    expect(reply).toMatchObject({ refused: true, reason: expect.stringContaining('is not set') })
  })
})

test('the log says what was worked on, and holds no token whatever the variables say', async () => {
  vi.stubEnv('POWERTOOLS_LOGGER_LOG_EVENT', 'true')
  handler = refreshHandler(upstox, compose)
  const token = world.upstox.accessTokenFor('SIM001')
  const dead = 'SIMULATED-dead-token'
  await adopt(token)
  await adopt(dead)
  await validate()
  expect(output.lines()).toContainEqual(
    expect.objectContaining({ message: 'work on a token', account, step: 'adopt' }),
  )
  for (const secret of [token, dead]) expect(output.text()).not.toContain(secret)
  expect(maskSecrets(token)).toBe(token)
})
