import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fyers } from '../../../lib/brokers/fyers/fyers.ts'
import type { AccountResult } from '../../../lib/model/outcome.ts'
import { FyersSimulator } from '../../../lib/simulators/fyers/fyers-simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { World } from '../../support/world.ts'

// The table of lib/brokers/fyers/README.md, Errors, row by row, at the two calls an unattended run makes.
const REFRESH = '/api/v3/validate-refresh-token'
const PROFILE = '/api/v3/profile'
const APP = { clientId: 'ABCDEFGH12-100', secret: 'S3CRET-FYERS-APP' }
const STATUSES = [200, 400, 401] as const

let world: World
let server: SimulatorServer

beforeEach(async () => {
  world = new World('2026-11-23T07:00:00+05:30')
  const simulator = new FyersSimulator(world.clock, APP, [
    { fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' },
  ])
  server = await world.serve(simulator)
  await world.account('fyers', {
    client_id: APP.clientId,
    client_secret: APP.secret,
    pin: '0412',
    refresh_token: simulator.refreshTokenFor('XX00001'),
  })
})

afterEach(() => world.close())

async function afterReply(
  path: string,
  status: number,
  body: unknown,
  seconds = 840,
): Promise<AccountResult> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  // As often as one run may ask: what is tried again meets the same reply.
  for (let i = 0; i < 12; i++) server.failNext(path, { kind: 'reply', status, body: text })
  return world.runOne(fyers, { seconds })
}

const error = (code: number): unknown => ({ s: 'error', code, message: 'canary-of-the-broker' })

describe.each(STATUSES)('with status %i, since FYERS does not say which goes with a code', (status) => {
  test.each([-371, -373, -352])('%i is the operator’s', async (code) => {
    const result = await afterReply(REFRESH, status, error(code))
    expect(result).toMatchObject({
      outcome: 'failed',
      code: 'client_rejected',
      reason: expect.stringContaining(String(code)),
    })
    expect(server.count(REFRESH)).toBe(1)
  })

  test.each([-8, -15, -16, -17, -437, -501, -9999, -374, -441, -50, -99, -300])(
    '%i on a refresh asks a person and is not repeated',
    async (code) => {
      expect(await afterReply(REFRESH, status, error(code))).toMatchObject({ outcome: 'awaiting_login' })
      expect(server.count(REFRESH)).toBe(1)
    },
  )

  test.each([-429, -353])('%i waits', async (code) => {
    expect(await afterReply(REFRESH, status, error(code), 100)).toMatchObject({
      outcome: 'failed',
      code: 'rate_limited',
    })
    expect(world.news).toHaveLength(0)
  })

  test.each([-96, -201, -202, -204, -205])('%i passes by itself', async (code) => {
    expect(await afterReply(REFRESH, status, error(code), 100)).toMatchObject({ code: 'broker_unavailable' })
    expect(world.news).toHaveLength(0)
  })

  test.each([-8, -15, -16, -17])(
    '%i on the profile call refuses the new token, which is not published',
    async (code) => {
      expect(await afterReply(PROFILE, status, error(code))).toMatchObject({ outcome: 'awaiting_login' })
      expect(await world.ports.states.get('fyers' as never)).not.toHaveProperty('accessToken')
    },
  )

  test('an unknown code on the profile call says nothing about the token', async () => {
    expect(await afterReply(PROFILE, status, error(-9999))).toMatchObject({
      code: 'response_unexpected',
      nextAction: expect.stringContaining('report it'),
    })
  })
})

describe('without a code of its own', () => {
  test.each([
    [500, error(-1), 'broker_unavailable'],
    [503, '<html>Service Unavailable</html>', 'broker_unavailable'],
    [404, '<html>Not Found</html>', 'broker_unavailable'],
    [301, '', 'response_unexpected'],
    [200, { s: 'ok', code: 200 }, 'response_unexpected'],
  ])('status %i with %j is %s', async (status, body, code) => {
    expect(await afterReply(REFRESH, status, body, 100)).toMatchObject({ outcome: 'failed', code })
  })

  test('an edge block in HTML waits its ten minutes', async () => {
    await afterReply(REFRESH, 429, '<html>Access denied</html>', 100)
    expect((await world.ports.states.get('fyers' as never))?.notBefore).toEqual(
      world.clock.now().add({ minutes: 10 }),
    )
  })
})

test('no word of the broker is repeated', async () => {
  await afterReply(REFRESH, 200, error(-501))
  expect(world.said()).not.toContain('canary')
})

test('a fault that lasts all morning leaves the day’s last attempt to a later run, and then asks a person once', async () => {
  const down = { kind: 'reply', status: 502, body: '<html>Bad Gateway</html>' } as const
  const run = async (): Promise<unknown> => {
    for (let i = 0; i < 12; i++) server.failNext(REFRESH, down)
    return world.runOne(fyers)
  }
  expect(await run()).toMatchObject({ outcome: 'failed', code: 'broker_unavailable' })
  expect(server.count(REFRESH)).toBe(2)
  world.clock.advance({ minutes: 30 })
  expect(await run()).toMatchObject({ outcome: 'failed', code: 'broker_unavailable' })
  expect(server.count(REFRESH)).toBe(3)
  expect(world.news).toHaveLength(0)
  for (let later = 0; later < 3; later++) {
    world.clock.advance({ minutes: 30 })
    expect(await run()).toMatchObject({ outcome: 'awaiting_login' })
  }
  expect(server.count(REFRESH)).toBe(3)
  expect(world.news.map(({ kind }) => kind)).toEqual(['login_needed'])
})
