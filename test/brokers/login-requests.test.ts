import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { iifl } from '../../lib/brokers/iifl/iifl.ts'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import { type AccountId, nameOf } from '../../lib/model/account-id.ts'
import type { SecretName } from '../../lib/model/secrets/secret-name.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import type { HttpRequest } from '../../lib/ports/http.ts'
import { FyersSimulator } from '../../lib/simulators/fyers/fyers-simulator.ts'
import { IiflSimulator } from '../../lib/simulators/iifl/iifl-simulator.ts'
import type { Simulator } from '../../lib/simulators/kit/simulator.ts'
import { UpstoxSimulator } from '../../lib/simulators/upstox/upstox-simulator.ts'
import { success } from '../support/login-world.ts'
import { Person } from '../support/person.ts'
import { recorded } from '../support/recorded.ts'
import { World } from '../support/world.ts'
import { ONE } from './iifl/iifl-fixture.ts'

// What goes over the wire in a login, to the byte, against the brokers' READMEs, Endpoints.

const FYERS_APP = { clientId: 'ABCDEFGH12-100', secret: 'S3CRET' }
const UPSTOX_ID = '615b1297-0000-4000-8000-000000000001'
const REDIRECT = 'https://example.invalid/cb?x=1'
const ENCODED_REDIRECT = 'https%3A%2F%2Fexample.invalid%2Fcb%3Fx%3D1'

let world: World
let origin: string
let account: AccountId
let person: Person
let sent: readonly HttpRequest[]

beforeEach(() => {
  world = new World('2026-11-23T08:00:00+05:30')
})
afterEach(() => world.close())

async function at(
  broker: Broker,
  simulator: Simulator,
  id: string,
  secrets: Partial<Record<SecretName, string>>,
): Promise<void> {
  origin = (await world.serve(simulator)).origin
  account = await world.account(id, { redirect_uri: REDIRECT, ...secrets })
  sent = recorded(world)
  person = new Person(world, broker, account)
}

/** The requests whose path ends so, with what matters of each. */
function posts(path: string): { url: string; body: string | undefined; type: string | undefined }[] {
  return sent
    .filter(({ url }) => url.endsWith(path))
    .map(({ url, body, headers = {} }) => ({ url, body, type: headers['content-type'] }))
}

/** Its one-time part replaced, so that the rest can be compared as a whole. */
async function begun(): Promise<string> {
  return (await person.begin()).replace(/(state(?:=|%3D))[^&]+/, '$1STATE')
}

describe('FYERS', () => {
  beforeEach(() =>
    at(
      fyers,
      new FyersSimulator(world.clock, FYERS_APP, [{ fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' }]),
      'fyers',
      { client_id: FYERS_APP.clientId, client_secret: FYERS_APP.secret },
    ),
  )

  test('the address of the login page', async () => {
    expect(await begun()).toBe(
      `${origin}/api/v3/generate-authcode?client_id=ABCDEFGH12-100&redirect_uri=${ENCODED_REDIRECT}&response_type=code&state=STATE`,
    )
  })

  test('the exchange, its keys in the order of the official SDK', async () => {
    await person.finish({ by: 'code', account, code: 'sim.auth.code' })
    expect(posts('/validate-authcode')).toEqual([
      {
        url: `${origin}/api/v3/validate-authcode`,
        type: 'application/json',
        body: '{"grant_type":"authorization_code","code":"sim.auth.code","appIdHash":"b36c4fe3df6420f8a81bb56200bfbcedfdabecdc72cc9677d06c0467b8c7c56f"}',
      },
    ])
  })
})

describe('Upstox', () => {
  beforeEach(() =>
    at(
      upstox,
      new UpstoxSimulator(world.clock, { clientId: UPSTOX_ID, secret: 'S3CRET', redirectUri: REDIRECT }, [
        { userId: 'SIM001', name: 'SIM USER ONE' },
      ]),
      'upstox',
      { client_id: UPSTOX_ID, client_secret: 'S3CRET' },
    ),
  )

  test('the address of the dialog', async () => {
    expect(await begun()).toBe(
      `${origin}/v2/login/authorization/dialog?client_id=${UPSTOX_ID}&redirect_uri=${ENCODED_REDIRECT}&response_type=code&state=STATE`,
    )
  })

  test('the exchange as a form, with the stored redirect URI', async () => {
    await person.finish({ by: 'code', account, code: 'mk404x' })
    expect(posts('/v2/login/authorization/token')).toEqual([
      {
        url: `${origin}/v2/login/authorization/token`,
        type: 'application/x-www-form-urlencoded',
        body: `code=mk404x&client_id=${UPSTOX_ID}&client_secret=S3CRET&redirect_uri=${ENCODED_REDIRECT}&grant_type=authorization_code`,
      },
    ])
  })

  test('the approval request', async () => {
    await knownUser('SIM001')
    success(await person.logins.requestApproval({ account }))
    const url = `${origin}/v3/login/auth/token/request/${UPSTOX_ID}`
    expect(posts(UPSTOX_ID)).toEqual([{ url, type: 'application/json', body: '{"client_secret":"S3CRET"}' }])
  })

  test('an API key with a slash in it stays one segment of the path', async () => {
    await knownUser('SIM001')
    await world.store(account, { client_id: '../a/b' })
    await person.logins.requestApproval({ account })
    expect(sent.map(({ url }) => url)).toEqual([`${origin}/v3/login/auth/token/request/..%2Fa%2Fb`])
  })

  async function knownUser(userId: string): Promise<void> {
    await world.change(account, { userId })
  }
})

describe('IIFL', () => {
  beforeEach(() =>
    at(iifl, new IiflSimulator(world.clock, [ONE]), `iifl/${ONE.clientId}`, {
      user_id: 'IIFLTEST1',
      client_id: ONE.appKey,
      client_secret: 'S3CRET',
    }),
  )

  test('the address of the login page, our state inside the redirect URL', async () => {
    expect(nameOf(account)).toBe('IIFLTEST1')
    expect(await begun()).toBe(
      `${origin}/?v=1&appkey=${ONE.appKey}&redirecturl=${ENCODED_REDIRECT}%26state%3DSTATE`,
    )
  })

  test('the session request holds a checksum and says nothing else of us', async () => {
    await person.finish({ by: 'code', account, code: 'AUTHCODE123' })
    expect(posts('/v1/getusersession')).toEqual([
      {
        url: `${origin}/v1/getusersession`,
        type: 'application/json',
        body: '{"checkSum":"752dbfbf522ad4fd68d9545151b4d81b59aad46402b3b90ca0dfce7bf2f6428b"}',
      },
    ])
    expect(sent.flatMap(({ headers = {} }) => Object.keys(headers))).not.toContain('authorization')
  })
})
