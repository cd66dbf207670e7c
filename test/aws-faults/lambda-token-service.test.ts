import { Temporal } from 'temporal-polyfill'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readEvent } from '../../functions/runtime/refresh/event.ts'
import { readTokenEvent } from '../../functions/runtime/token/token-event.ts'
import { lambdaTokenService } from '../../lib/aws/lambda/lambda-token-service.ts'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { iifl } from '../../lib/brokers/iifl/iifl.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import type { TokenService } from '../../lib/ports/token-service.ts'
import { World } from '../support/world.ts'
import { type Answer, refusal, ScriptedAws } from './support/scripted-aws.ts'

const account = parseAccountId('iifl/28748327')
const NOW = Temporal.Instant.from('2026-11-23T03:00:00+05:30')
const ADOPT = { account, accessToken: new Secret('CANARY-access-token'), expiresAt: NOW, replaceNewer: true }
const RESULT = {
  success: true,
  account,
  userID: 'SIM001',
  clientName: null,
  outcome: 'refreshed',
  reason: 'handed in',
  tokenValidity: null,
  nextAction: 'none',
}
const REPORT = {
  success: true,
  message: '',
  refreshed: 1,
  failed: 0,
  skipped: 0,
  total: 1,
  handedOver: 0,
  results: [RESULT],
}
const VALIDATION = { account, valid: true, checkedAt: '2026-11-23T08:02:00+05:30', userID: 'SIM001' }

let aws: ScriptedAws
let world: World
let tokens: TokenService

const tokensWith = (patienceMs?: number) =>
  lambdaTokenService({
    brokers: [iifl, fyers],
    functionOf: (id) => `Tokenkeeper-${id}`,
    ...world.ports,
    ...(patienceMs !== undefined && { patienceMs }),
  })

beforeEach(async () => {
  aws = await ScriptedAws.start()
  world = new World()
  tokens = tokensWith()
})

afterEach(async () => {
  await aws.close()
  await world.close()
})

/** What the function was sent. */
const events = () => aws.seen.map(({ body }) => JSON.parse(body))

describe('work that needs credentials', () => {
  test('invokes the function of the broker, waits for it, and gives its reply', async () => {
    aws.answers = [{ body: REPORT }, { body: RESULT }, { body: VALIDATION }]
    expect(await tokens.refresh({ broker: 'iifl', accounts: [account] })).toEqual(REPORT)
    expect(await tokens.adopt(ADOPT)).toEqual(RESULT)
    expect(await tokens.validate({ account })).toEqual(VALIDATION)
    for (const { path, headers } of aws.seen) {
      expect(path).toBe('/2015-03-31/functions/Tokenkeeper-iifl/invocations')
      expect(headers['x-amz-invocation-type']).toBe('RequestResponse')
    }
  })

  test('is an event that the broker’s function understands as the same order', async () => {
    aws.answers = [{ body: RESULT }, { body: VALIDATION }]
    await tokens.adopt(ADOPT)
    await tokens.validate({ account })
    const [adopt, validate] = events().map((event) => readTokenEvent(iifl, event))
    expect(adopt).toEqual({ work: 'adopt', order: ADOPT })
    expect(validate).toEqual({ work: 'validate', order: { account } })
  })

  test('that is a run is the event of a run, with the report, and with the date of force so that a repeat forces nothing', async () => {
    aws.answers = [{ body: REPORT }]
    await tokens.refresh({ broker: 'iifl' })
    await tokens.refresh({ broker: 'iifl', accounts: [account], reported: { generation: 7 } })
    await tokens.refresh({ broker: 'iifl', accounts: [account], forcedAt: NOW })
    expect(events().map((event) => readEvent(iifl, event, NOW.add({ hours: 1 })))).toMatchObject([
      { accounts: undefined, forcedAt: undefined, refused: undefined, awaited: true },
      { accounts: [account], refused: { generation: 7 } },
      { accounts: [account], forcedAt: NOW, awaited: true },
    ])
  })

  test('may be refused, which is a value', async () => {
    const refused = { refused: true, code: 'rate_limited', reason: 'busy', fix: 'wait', retryAfterSeconds: 9 }
    aws.answers = [{ body: refused }]
    expect(await tokens.adopt(ADOPT)).toEqual(refused)
    expect(await tokens.validate({ account })).toEqual(refused)
    expect(await tokens.refresh({ broker: 'iifl' })).toEqual(refused)
  })
})

describe('work that cannot be done is refused with something to do, and with nothing of what was sent', () => {
  test.each<readonly [string, Answer, string, RegExp]>([
    [
      'a function that fails',
      { headers: { 'x-amz-function-error': 'Unhandled' }, body: { errorMessage: 'CANARY' } },
      'broker_unavailable',
      /read its log/,
    ],
    ['a lost connection', 'connection lost', 'broker_unavailable', /status in a moment/],
    [
      'a role that may not',
      refusal('AccessDeniedException', 'CANARY', 403),
      'configuration_invalid',
      /lambda:InvokeFunction/,
    ],
    [
      'no such function',
      refusal('ResourceNotFoundException', 'CANARY', 404),
      'configuration_invalid',
      /deploy the stack/,
    ],
    [
      'a reply of another kind',
      { body: { looked: true, code: 'CANARY' } },
      'response_unexpected',
      /one version/,
    ],
  ])('%s', async (_, answer, code, fix) => {
    aws.answers = [answer]
    const reply = await tokens.adopt(ADOPT)
    expect(reply).toEqual({
      refused: true,
      code,
      reason: expect.stringContaining('Tokenkeeper-iifl'),
      fix: expect.stringMatching(fix),
    })
    expect(JSON.stringify(reply)).not.toContain('CANARY')
  })

  test('a function that takes too long, which is not invoked again', async () => {
    aws.answers = ['no answer']
    expect(await tokensWith(150).refresh({ broker: 'iifl' })).toMatchObject({ code: 'broker_unavailable' })
    expect(aws.seen).toHaveLength(1)
  })
})

describe('what is published', () => {
  test('is read here, and nothing that this role may not read is asked for', async () => {
    await world.account('fyers', {
      access_token: 'SIMULATED-token',
      client_id: 'ABCDEFGH12-100',
      pin: '0412',
    })
    await world.account('iifl', { access_token: 'SIMULATED-other', client_id: 'CANARY', session: '{"a":1}' })
    const asked: unknown[] = []
    const { vault } = world.ports
    const read: typeof vault.read = async (id, names) => {
      asked.push(names)
      return vault.read(id, names)
    }
    world.ports = { ...world.ports, vault: { ...vault, read } }
    tokens = tokensWith()
    const [one, other] = [
      await tokens.readToken(parseAccountId('fyers')),
      await tokens.readToken(parseAccountId('iifl')),
    ]
    expect(one?.clientId?.reveal()).toBe('ABCDEFGH12-100')
    expect(other?.session?.reveal()).toBe('{"a":1}')
    expect(other).not.toHaveProperty('clientId')
    expect(asked).toEqual([
      ['access_token', 'session', 'client_id'],
      ['access_token', 'session'],
    ])
    expect(aws.seen).toEqual([])
  })

  test('is nothing for an account that has nothing, and for a broker that is switched off', async () => {
    expect(await tokens.readToken(account)).toBeUndefined()
    expect(await tokens.readToken(parseAccountId('upstox'))).toBeUndefined()
  })
})
