import { inspect } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { iifl } from '../../lib/brokers/iifl/iifl.ts'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import type { SecretName } from '../../lib/model/secrets/secret-name.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import { FyersSimulator } from '../../lib/simulators/fyers/fyers-simulator.ts'
import { IiflSimulator } from '../../lib/simulators/iifl/iifl-simulator.ts'
import {
  HTML_200,
  HTML_502,
  type SimulatedFault,
  type Simulator,
} from '../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../lib/simulators/kit/simulator-server.ts'
import { UpstoxSimulator } from '../../lib/simulators/upstox/upstox-simulator.ts'
import { Person } from '../support/person.ts'
import { recorded } from '../support/recorded.ts'
import { World } from '../support/world.ts'
import { ONE } from './iifl/iifl-fixture.ts'

// I6: whatever happens to a login, nothing that was said holds what only we and the broker may know.

const FYERS_APP = { clientId: 'ABCDEFGH12-100', secret: 'S3CRET-canary-fyers' }
const UPSTOX_APP = {
  clientId: 'sim-api-key',
  secret: 'S3CRET-canary-upstox',
  redirectUri: 'https://tokens.example.invalid/callback/upstox',
}

interface Login {
  readonly broker: Broker
  readonly simulator: (world: World) => Simulator
  readonly secrets: Partial<Record<SecretName, string>>
  /** The parameter of the redirect that brings the code. */
  readonly code: string
  readonly exchange: string
  readonly proof: string
  readonly options?: Readonly<Record<string, string>>
}

const FYERS: Login = {
  broker: fyers,
  simulator: ({ clock }) =>
    new FyersSimulator(clock, FYERS_APP, [{ fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' }]),
  secrets: { client_id: FYERS_APP.clientId, client_secret: FYERS_APP.secret },
  code: 'auth_code',
  exchange: '/api/v3/validate-authcode',
  proof: '/api/v3/profile',
}
const LOGINS: Readonly<Record<string, Login>> = {
  FYERS,
  'FYERS with PKCE': { ...FYERS, options: { pkce: 'on' } },
  Upstox: {
    broker: upstox,
    simulator: ({ clock }) =>
      new UpstoxSimulator(clock, UPSTOX_APP, [{ userId: 'SIM001', name: 'SIM USER ONE' }]),
    secrets: { client_id: UPSTOX_APP.clientId, client_secret: UPSTOX_APP.secret },
    code: 'code',
    exchange: '/v2/login/authorization/token',
    proof: '/v2/user/profile',
  },
  IIFL: {
    broker: iifl,
    simulator: ({ clock }) => new IiflSimulator(clock, [ONE]),
    secrets: { user_id: ONE.clientId, client_id: ONE.appKey, client_secret: ONE.appSecret },
    code: 'authCode',
    exchange: '/v1/getusersession',
    proof: '/v1/profile',
  },
}

/** A broker that repeats what it was sent, as some do. */
const echo = (status: number, canaries: string): SimulatedFault => ({
  kind: 'reply',
  status,
  body: JSON.stringify({
    s: canaries,
    status: canaries,
    code: -437,
    message: canaries,
    errors: [{ error_code: canaries, message: canaries }],
  }),
})
const FAULTS: Readonly<Record<string, (canaries: string) => SimulatedFault | undefined>> = {
  'nothing at all': () => undefined,
  'a lost reply': () => ({ kind: 'lost_reply' }),
  'a cut connection': () => ({ kind: 'reset' }),
  'a truncated reply': () => ({ kind: 'truncated' }),
  'a gateway fault': () => HTML_502,
  'a page in place of a reply': () => HTML_200,
  'a refusal that repeats what was sent': (canaries) => echo(400, canaries),
  'a server fault that repeats what was sent': (canaries) => echo(500, canaries),
  'a success that repeats what was sent': (canaries) => echo(200, canaries),
}

let world: World

afterEach(() => world.close())

describe.each(Object.keys(LOGINS))('a login at %s', (name) => {
  const login = LOGINS[name] as Login

  const cases = Object.keys(FAULTS).flatMap((fault) => [
    [fault, 'exchange'] as const,
    [fault, 'proof'] as const,
  ])
  test.each(cases)('with %s in its %s says no secret', async (fault, place) => {
    world = new World('2026-11-23T08:00:00+05:30')
    const settings = login.options ? { options: login.options } : {}
    const server: SimulatorServer = await world.serve(login.simulator(world))
    const account = await world.account(login.broker.id, login.secrets, settings)
    const sent = recorded(world)
    const replies: string[] = []
    const { http } = world.ports
    world.ports = {
      ...world.ports,
      http: {
        ...http,
        send: async (request) => {
          const reply = await http.send(request)
          replies.push(reply.body)
          return reply
        },
      },
    }
    const person = new Person(world, login.broker, account)
    const address = await person.begin()
    const landed = await person.atBroker(address)
    const code = landed.searchParams.get(login.code) ?? ''
    const state = landed.searchParams.get('state') ?? ''
    expect([code, state].every((value) => value.length > 5)).toBe(true)

    const canaries = [code, state, login.secrets.client_secret, login.secrets.client_id].join(' ')
    const next = FAULTS[fault]?.(canaries)
    if (next) server.failNext(login[place], next)
    const result = await person.comeBack(landed)
    expect(sent.some(({ url }) => url.endsWith(login.exchange))).toBe(true)

    const record = await world.ports.states.get(account)
    const said = [world.said(), JSON.stringify({ result, record }), inspect({ result, record }, { depth: 9 })]
    const minted = replies.flatMap((body) => body.match(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g) ?? [])
    const ours = sent.flatMap(
      ({ body = '' }) => body.match(/"(?:appIdHash|checkSum|code_verifier)":"([^"]+)"/)?.[1] ?? [],
    )
    const secret = login.secrets.client_secret ?? ''
    for (const value of [code, state, secret, ...minted, ...ours]) {
      for (const form of [value, encodeURIComponent(value), Buffer.from(value).toString('base64')]) {
        for (const text of said)
          expect(text.includes(form), `a secret of ${value.length} characters`).toBe(false)
      }
    }
  })
})
