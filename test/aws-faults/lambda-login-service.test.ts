import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readLoginEvent } from '../../functions/runtime/login/login-event.ts'
import { lambdaLoginService } from '../../lib/aws/lambda/lambda-login-service.ts'
import { iifl } from '../../lib/brokers/iifl/iifl.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import type { LoginService } from '../../lib/ports/login-service.ts'
import { refusal, ScriptedAws } from './support/scripted-aws.ts'

const account = parseAccountId('iifl/28748327')
const browser = 'sha256-of-the-cookie'
const REDIRECT = { by: 'redirect', broker: 'iifl', query: 'authcode=CANARY', browser } as const
const STARTED = {
  authorizationUrl: 'https://broker.example.invalid/login?state=x',
  redirectUri: 'https://login.example.invalid/callback/iifl',
  loginId: 'login-1',
}
const FINISHED = { account, loginId: 'login-1' }

let aws: ScriptedAws
let logins: LoginService

beforeEach(async () => {
  aws = await ScriptedAws.start()
  logins = lambdaLoginService({ functionOf: (id) => `Tokenkeeper-${id}` })
})

afterEach(() => aws.close())

/** A function that answers with a value. */
function replies(...bodies: readonly object[]): void {
  aws.answers = bodies.map((body) => ({ body }))
}

describe('each step', () => {
  test('invokes the function of its broker, waits for it, and gives its reply', async () => {
    replies(STARTED)
    expect(await logins.start({ account, browser, callbackUrl: undefined })).toEqual(STARTED)
    expect(aws.seen.map(({ path }) => path)).toEqual(['/2015-03-31/functions/Tokenkeeper-iifl/invocations'])
    expect(aws.seen[0]?.headers['x-amz-invocation-type']).toBe('RequestResponse')
  })

  test('is an event that the broker’s function understands as the same order', async () => {
    replies(STARTED, FINISHED, FINISHED, { asked: true }, { looked: true })
    const orders = [
      { account, browser, callbackUrl: 'https://login.example.invalid/callback/iifl' },
      REDIRECT,
      { by: 'code', account, code: 'CANARY' },
      { account },
      { account, body: { token: 'CANARY', nested: [null] } },
    ] as const
    expect([
      await logins.start(orders[0]),
      await logins.finish(orders[1]),
      await logins.finish(orders[2]),
      await logins.requestApproval(orders[3]),
      await logins.acceptApproval(orders[4]),
    ]).toEqual([STARTED, FINISHED, FINISHED, { asked: true }, undefined])
    const read = aws.seen.map(({ body }) => readLoginEvent(iifl, JSON.parse(body)))
    expect(read.map(({ order }) => order)).toEqual(orders)
  })

  test('may be refused, which is a value', async () => {
    const refused = { refused: true, code: 'state_expired', reason: 'too late', fix: 'begin again' }
    replies(refused)
    expect(await logins.finish(REDIRECT)).toEqual(refused)
  })

  test('is sent again where Lambda had no room for it', async () => {
    aws.answers = [refusal('TooManyRequestsException', 'CANARY', 429), { body: FINISHED }]
    expect(await logins.finish(REDIRECT)).toEqual(FINISHED)
    expect(aws.seen).toHaveLength(2)
  })
})

describe('a step that cannot be taken is refused with something to do, and with nothing of what was sent', () => {
  test.each([
    [
      'a function that fails',
      { headers: { 'x-amz-function-error': 'Unhandled' }, body: { errorMessage: 'CANARY' } },
      'broker_unavailable',
      /try again in a moment/,
    ],
    [
      'Lambda without room',
      refusal('TooManyRequestsException', 'CANARY', 429),
      'broker_unavailable',
      /login page/,
    ],
    ['a lost connection', 'connection lost', 'broker_unavailable', /login page/],
    [
      'a role that may not',
      refusal('AccessDeniedException', 'CANARY', 403),
      'configuration_invalid',
      /allow lambda:InvokeFunction on function Tokenkeeper-iifl/,
    ],
    [
      'no such function',
      refusal('ResourceNotFoundException', 'CANARY', 404),
      'configuration_invalid',
      /deploy the stack/,
    ],
    [
      'a reply of another kind',
      { body: { success: true, code: 'CANARY' } },
      'response_unexpected',
      /one version/,
    ],
  ] as const)('%s', async (_, answer, code, fix) => {
    aws.answers = [answer]
    const reply = await logins.finish(REDIRECT)
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
    const impatient = lambdaLoginService({ functionOf: (id) => `Tokenkeeper-${id}`, patienceMs: 150 })
    expect(await impatient.finish(REDIRECT)).toMatchObject({ refused: true, code: 'broker_unavailable' })
    expect(aws.seen).toHaveLength(1)
  })

  test('a posted token nobody could look at is an error, for nobody reads a refusal there', async () => {
    aws.answers = [refusal('AccessDeniedException', 'no', 403)]
    const posted = logins.acceptApproval({ account, body: { token: 'CANARY' } })
    await expect(posted).rejects.toMatchObject({
      code: 'broker_unavailable',
      message: expect.not.stringContaining('CANARY'),
    })
  })
})
