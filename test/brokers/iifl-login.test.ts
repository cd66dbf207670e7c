import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { iifl } from '../../lib/brokers/iifl.ts'
import { IiflSimulator } from '../../lib/simulators/iifl-simulator.ts'
import type { SimulatorServer } from '../../lib/simulators/simulator-server.ts'
import type { AccountId } from '../../lib/tokens/account-id.ts'
import { Person } from '../support/person.ts'
import { World } from '../support/world.ts'
import { ONE, SESSION } from './iifl-fixture.ts'

let world: World
let simulator: IiflSimulator
let server: SimulatorServer
let account: AccountId
let person: Person

/** Two clients of one app: whoever sits at the browser may be the wrong one. */
const OTHER = { ...ONE, clientId: 'IIFLTEST9', name: 'SIM USER NINE' }

beforeEach(async () => {
  world = new World('2026-11-23T08:00:00+05:30')
  simulator = new IiflSimulator(world.clock, [ONE, OTHER])
  server = await world.serve(simulator)
  account = await world.account(`iifl/${ONE.clientId}`, {
    user_id: ONE.clientId,
    client_id: ONE.appKey,
    client_secret: ONE.appSecret,
  })
  person = new Person(world, iifl, account)
})
afterEach(() => world.close())

describe('the documented login at IIFL', () => {
  test('carries our state inside the redirect URL, since IIFL knows none', async () => {
    const url = new URL(await person.begin())
    expect(url.searchParams.get('v')).toBe('1')
    expect(url.searchParams.get('appkey')).toBe(ONE.appKey)
    const back = new URL(url.searchParams.get('redirecturl') ?? '')
    expect(back.origin + back.pathname).toBe('https://tokens.example.invalid/callback/iifl')
    expect(back.searchParams.get('state')).not.toBe('')
  })

  test('ends in a proven session', async () => {
    expect((await person.logIn()).success).toBe(true)
    expect(await world.ports.states.get(account)).toMatchObject({ userId: ONE.clientId, generation: 1 })
  })

  test.each([
    ['authcode', 'clientid'],
    ['code', 'clientId'],
  ] as const)('reads %s and %s, as some clients have met them', async (code, clientId) => {
    simulator.behaviour.callback = { code, clientId }
    expect((await person.logIn()).success).toBe(true)
  })

  test('of another client is refused before its code is sent', async () => {
    expect(await person.logIn({ user: OTHER.clientId })).toMatchObject({
      success: false,
      code: 'wrong_account',
      reason: expect.stringContaining('II…T9'),
    })
    expect(server.count(SESSION)).toBe(0)
    expect(await world.stored(account, 'access_token')).toBeUndefined()
  })

  test('whose session turns out to be another client’s changes nothing', async () => {
    simulator.behaviour.profileClientId = OTHER.clientId
    expect(await person.logIn()).toMatchObject({ success: false, code: 'wrong_account' })
    expect(await world.stored(account, 'access_token')).toBeUndefined()
  })

  test('that was cancelled comes back without a code', async () => {
    expect(await person.logIn({ decision: 'refuse' })).toMatchObject({
      success: false,
      code: 'grant_rejected',
    })
    expect(server.count(SESSION)).toBe(0)
  })

  test('sends its code once, although the reply is lost', async () => {
    const landed = await person.atBroker(await person.begin())
    server.failNext(SESSION, { kind: 'lost_reply' })
    expect(await person.comeBack(landed)).toMatchObject({ code: 'ambiguous' })
    await person.comeBack(landed)
    expect(server.count(SESSION)).toBe(1)
  })
})
