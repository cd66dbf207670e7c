import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Compose } from '../../functions/runtime/composition.ts'
import type { LoginReply } from '../../functions/runtime/login/login-handler.ts'
import { refreshHandler } from '../../functions/runtime/refresh/refresh-handler.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import { maskSecrets } from '../../lib/model/secrets/secret.ts'
import type { FollowUpRequest } from '../../lib/ports/follow-up.ts'
import { HTML_502 } from '../../lib/simulators/kit/simulator.ts'
import { loginbroker } from '../support/login-broker.ts'
import { BROWSER, CALLBACK, LoginWorld } from '../support/login-world.ts'
import { captureOutput, lambdaContext } from './lambda.ts'

let world: LoginWorld
let account: AccountId
let output: ReturnType<typeof captureOutput>
let handler: ReturnType<typeof refreshHandler>
let handedOver: FollowUpRequest[]

const compose: Compose = (broker, telemetry) => ({
  broker,
  ports: { ...world.ports, telemetry },
  followUp: { handOver: async (request) => void handedOver.push(request) },
})

beforeEach(async () => {
  world = await LoginWorld.open()
  account = await world.loginAccount()
  output = captureOutput()
  handedOver = []
  handler = refreshHandler(loginbroker, compose)
})

afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await world.close()
})

const step = (login: object): Promise<LoginReply> => handler({ login }, lambdaContext())
const start = () => step({ step: 'start', account, browser: BROWSER, callbackUrl: CALLBACK })
const finish = (query: Record<string, string>) =>
  step({
    step: 'finish',
    by: 'redirect',
    broker: 'loginbroker',
    query: new URLSearchParams(query).toString(),
    browser: BROWSER,
  })

/** The one-time state of a login that was started. */
async function begun(): Promise<string> {
  const started = await start()
  if (!('authorizationUrl' in started)) throw new Error(`refused: ${JSON.stringify(started)}`)
  return new URL(started.authorizationUrl).searchParams.get('state') ?? ''
}

describe('a step of a login', () => {
  test('whose token could not be proven hands the account to an invocation that does so', async () => {
    const server = await world.serve(world.simulator)
    for (let i = 0; i < 5; i++) server.failNext('/me', HTML_502)
    await finish({ state: await begun(), code: world.simulator.codeFor('SIM001') })
    expect(handedOver).toEqual([{ accounts: [account], continuation: 1 }])
    const report = await handler(
      { accounts: [account], reason: 'continued', continuation: 1 },
      lambdaContext(),
    )
    expect(report).toMatchObject({ success: true, refreshed: 1 })
    expect(await world.record(account)).toMatchObject({ accessToken: { source: 'login' } })
  })

  test('R3.9 that mends an account which had failed ends the alarm of its broker', async () => {
    await world.change(account, {
      last: { at: world.clock.now(), outcome: 'failed', reason: 'a passing fault' },
    })
    const state = await begun()
    expect(output.text()).not.toContain('Unsuccessful')
    await finish({ state, code: world.simulator.codeFor('SIM001') })
    expect(output.lines()).toContainEqual(expect.objectContaining({ Unsuccessful: 0, broker: 'loginbroker' }))
  })

  test('starts one, finishes it and publishes the token, each with a reply of plain JSON', async () => {
    const started = await start()
    expect(started).toEqual({
      authorizationUrl: expect.stringContaining('/authorize?client_id=SIM-APP'),
      redirectUri: CALLBACK,
      loginId: expect.any(String),
    })
    const state = await begun()
    const finished = await finish({ state, code: world.simulator.codeFor('SIM001') })
    expect(finished).toEqual({ account, loginId: expect.any(String) })
    expect(JSON.parse(JSON.stringify(finished))).toEqual(finished)
    expect(await world.stored(account, 'access_token')).toMatch(/\w/)
    expect(await world.record(account)).toMatchObject({ generation: 1, accessToken: { source: 'login' } })
  })

  test('ends once, however often Lambda or a reload brings it', async () => {
    const query = { state: await begun(), code: world.simulator.codeFor('SIM001') }
    const [first, second] = [await finish(query), await finish(query)]
    expect(second).toEqual(first)
    expect(world.simulator.codesSeen).toBe(1)
  })

  test('takes a code that somebody copied by hand', async () => {
    await world.store(account, { redirect_uri: CALLBACK })
    const code = world.simulator.codeFor('SIM001')
    expect(await step({ step: 'finish', by: 'code', account, code })).toMatchObject({ account })
    expect(await world.record(account)).toMatchObject({ generation: 1 })
  })

  test('asks for an approval and looks at the token that is posted, without a word about it', async () => {
    const state = await begun()
    await finish({ state, code: world.simulator.codeFor('SIM001') })
    expect(await step({ step: 'request_approval', account })).toEqual({ asked: true })
    expect(world.simulator.approvalsAsked).toBe(1)
    const bodies = [world.simulator.webhookOf('SIM001'), { garbage: true }, null]
    for (const body of bodies)
      expect(await step({ step: 'accept_approval', account, body })).toEqual({ looked: true })
    expect(await world.record(account)).toMatchObject({ generation: 2, accessToken: { source: 'approval' } })
  })
})

describe('what goes wrong in a step is its reply', () => {
  test('a callback nobody began', async () => {
    expect(await finish({ state: 'x.y', code: 'CANARY' })).toMatchObject({
      refused: true,
      code: 'unknown_state',
    })
  })

  test('an account of another broker', async () => {
    const reply = await step({ step: 'start', account: 'fyers', browser: BROWSER })
    expect(reply).toMatchObject({ refused: true, code: 'configuration_invalid' })
  })

  test('an event nobody can understand', async () => {
    const reply = await step({ step: 'start', account, browser: BROWSER, code: 'CANARY' })
    expect(reply).toMatchObject({ refused: true, fix: expect.stringContaining('one version') })
    expect(JSON.stringify(reply)).not.toContain('CANARY')
  })

  test('a wrong environment', async () => {
    const reply = await refreshHandler(loginbroker)({ login: { step: 'start' } }, lambdaContext())
    expect(reply).toMatchObject({ refused: true, reason: expect.stringContaining('is not set') })
  })

  test('a store that is down, also for what was posted to the webhook', async () => {
    world.failNext('states.get', { times: 'all' })
    const down = { refused: true, code: 'state', reason: 'the state table is away', fix: 'wait' }
    expect(await start()).toEqual(down)
    const body = world.simulator.webhookOf('SIM001')
    expect(await step({ step: 'accept_approval', account, body })).toEqual(down)
  })
})

describe('the log of a step', () => {
  test('says which step, and holds neither event nor code, state, cookie or token, whatever the variables say', async () => {
    vi.stubEnv('POWERTOOLS_LOGGER_LOG_EVENT', 'true')
    handler = refreshHandler(loginbroker, compose)
    const state = await begun()
    const code = world.simulator.codeFor('SIM001')
    await finish({ state, code })
    await finish({ state: `${state}CANARY`, code: 'CANARY-CODE' })
    await step({ step: 'request_approval', account })
    const webhook = world.simulator.webhookOf('SIM002')
    await step({ step: 'accept_approval', account, body: webhook })
    await step({ step: 'accept_approval', account, body: 'CANARY', surplus: 'CANARY' })
    expect(output.lines()).toContainEqual(
      expect.objectContaining({ message: 'login step', account, step: 'accept_approval' }),
    )
    const tokens = [
      await world.stored(account, 'access_token'),
      await world.stored(account, 'refresh_token'),
      String(webhook['token']),
    ]
    for (const canary of [state, code, BROWSER, 'CANARY', 'SIMULATED-client-secret', ...tokens]) {
      expect(output.text()).not.toContain(canary)
    }
  })

  test('has the metrics there are, and no complaint that there are none', async () => {
    await begun()
    expect(output.text()).not.toContain('No application metrics')
    expect(output.lines().filter((line) => '_aws' in line)).toEqual([])
  })

  test('is followed by forgetting the secrets', async () => {
    await begun()
    expect(maskSecrets('SIMULATED-client-secret')).toBe('SIMULATED-client-secret')
  })
})

test('a run is still a run after a login', async () => {
  await begun()
  expect(await handler({}, lambdaContext())).toMatchObject({ total: 1, results: [{ account }] })
})
