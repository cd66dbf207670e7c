import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fyers } from '../../../lib/brokers/fyers/fyers.ts'
import { challengeOf } from '../../../lib/brokers/fyers/login.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import { FyersSimulator } from '../../../lib/simulators/fyers/fyers-simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { Person } from '../../support/person.ts'
import { recorded } from '../../support/recorded.ts'
import { World } from '../../support/world.ts'

const APP = { clientId: 'ABCDEFGH12-100', secret: 'S3CRET-FYERS-APP' }
const ONE = { fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' }
const EXCHANGE = '/api/v3/validate-authcode'

let world: World
let simulator: FyersSimulator
let server: SimulatorServer
let account: AccountId
let person: Person

beforeEach(async () => {
  world = new World('2026-11-23T08:00:00+05:30')
  simulator = new FyersSimulator(world.clock, APP, [ONE])
  server = await world.serve(simulator)
  account = await world.account('fyers', { client_id: APP.clientId, client_secret: APP.secret })
  person = new Person(world, fyers, account)
})
afterEach(() => world.close())

describe('with --option pkce=on', () => {
  beforeEach(async () => {
    await world.change(account, { settings: { options: { pkce: 'on' } } })
  })

  test('the address carries a challenge, and the verifier proves the code in place of the app hash', async () => {
    const sent = recorded(world)
    person = new Person(world, fyers, account)
    const address = await person.begin()
    const challenge = new URL(address).searchParams.get('code_challenge')
    expect(challenge).toMatch(/^[\w-]{43}$/)
    const landed = await person.atBroker(address)
    expect((await person.comeBack(landed)).success).toBe(true)
    const body = sent.find(({ url }) => url.endsWith(EXCHANGE))?.body ?? '{}'
    const { code_verifier: verifier, ...rest } = JSON.parse(body) as Record<string, string>
    expect(rest).toEqual({
      grant_type: 'authorization_code',
      code: landed.searchParams.get('auth_code'),
    })
    expect(verifier).toMatch(/^[\w.~-]{43,128}$/)
    expect(challengeOf(new Secret(verifier ?? ''))).toBe(challenge)
    expect(world.said()).not.toContain(verifier)
    expect(JSON.stringify(await world.ports.states.get(account))).not.toContain(verifier)
  })

  test('a code made for another login’s challenge is refused', async () => {
    const theirs = await person.atBroker(await person.begin())
    const ours = await person.atBroker(await person.begin())
    ours.searchParams.set('auth_code', theirs.searchParams.get('auth_code') ?? '')
    expect(await person.comeBack(ours)).toMatchObject({ success: false, code: 'grant_rejected' })
    expect(server.count(EXCHANGE)).toBe(1)
    expect(await world.stored(account, 'access_token')).toBeUndefined()
  })

  test('a bare code is refused: it does not say which login it belongs to', async () => {
    const code = simulator.authCodeFor(ONE.fyId)
    expect(await person.finish({ by: 'code', account, code })).toMatchObject({
      success: false,
      code: 'configuration_invalid',
      fix: expect.stringContaining('paste the whole address'),
    })
    expect(server.count(EXCHANGE)).toBe(0)
  })
})

test('the challenge is the one of RFC 7636, appendix B', () => {
  expect(challengeOf(new Secret('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'))).toBe(
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  )
})
