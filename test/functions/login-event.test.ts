import { describe, expect, test } from 'vitest'
import { readLoginEvent } from '../../functions/runtime/login/login-event.ts'
import { isLoginEvent } from '../../functions/runtime/refresh/event.ts'
import { iifl } from '../../lib/brokers/iifl/iifl.ts'

const account = 'iifl/28748327'
const browser = 'sha256-of-the-cookie'

test.each([[{}], [null], [undefined], ['login'], [{ accounts: ['iifl'] }]])('%j asks for a run', (event) => {
  expect(isLoginEvent(event)).toBe(false)
})

describe('a login event', () => {
  test.each([
    ['start', { account, browser, callbackUrl: 'https://login.example.invalid/callback/iifl' }],
    ['start', { account, browser }],
    ['finish', { by: 'redirect', broker: 'iifl', query: 'authcode=CANARY&state=x', browser }],
    ['finish', { by: 'code', account, code: 'CANARY' }],
    ['request_approval', { account }],
    ['accept_approval', { account, body: { anything: ['at', 'all'] } }],
    ['accept_approval', { account, body: null }],
  ])('%s carries an order: %j', (step, order) => {
    const event = JSON.parse(JSON.stringify({ login: { step, ...order } }))
    expect(isLoginEvent(event)).toBe(true)
    expect(readLoginEvent(iifl, event)).toEqual({ step, order })
  })
})

describe('a login event nobody can understand is refused without a word of what it holds', () => {
  test.each([
    ['no step', { login: { account } }],
    ['an unknown step', { login: { step: 'CANARY', account } }],
    ['a run at the same time', { login: { step: 'request_approval', account }, accounts: [account] }],
    ['a field too many', { login: { step: 'start', account, browser, code: 'CANARY' } }],
    ['a code that is no text', { login: { step: 'finish', by: 'code', account, code: ['CANARY'] } }],
    ['an account that is no id', { login: { step: 'request_approval', account: 'iifl/CANARY/x' } }],
    [
      'a query longer than any redirect',
      { login: { step: 'finish', by: 'redirect', broker: 'iifl', query: 'CANARY'.repeat(2_000), browser } },
    ],
  ])('%s', (_, event) => {
    let thrown: unknown
    try {
      readLoginEvent(iifl, event)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({ code: 'configuration_invalid', fix: expect.stringMatching(/\w/) })
    const { message, fix } = thrown as { message: string; fix: string }
    expect(message + fix).not.toContain('CANARY')
  })

  test.each([
    { step: 'start', account: 'fyers', browser },
    { step: 'finish', by: 'redirect', broker: 'fyers', query: '', browser },
    { step: 'finish', by: 'code', account: 'iifl-xts', code: 'CANARY' },
    { step: 'request_approval', account: 'fyers' },
    { step: 'accept_approval', account: 'fyers', body: {} },
  ])('of another broker: %j', (login) => {
    expect(() => readLoginEvent(iifl, { login })).toThrow('this login is of another broker than iifl')
  })
})
