import { execFileSync } from 'node:child_process'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import {
  commandEnvironment,
  sessionText,
  tokenVariables,
  type ZonedToken,
} from '../../lib/cli/program/variables.ts'
import type { ClientToken } from '../../lib/client/sources/token-source.ts'
import { brokerOf, parseAccountId } from '../../lib/model/account-id.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'

const tokenOf = (id: string, more: Partial<ClientToken> = {}): ZonedToken => {
  const account = parseAccountId(id)
  const accessToken = new Secret(`token of ${id}`)
  return { timeZone: 'Asia/Kolkata', token: { account, broker: brokerOf(account), accessToken, ...more } }
}
const variables = (...given: ZonedToken[]) => Object.fromEntries(tokenVariables(given))

describe('the variables of a command', () => {
  test('one account has the broker’s name and the short ones', () => {
    const expiresAt = Temporal.Instant.from('2026-11-24T00:30:00Z')
    const session = new Secret('{"feedToken":"it\'s"}')
    expect(variables(tokenOf('pos-connector', { expiresAt, session }))).toEqual({
      POS_CONNECTOR_ACCESS_TOKEN: 'token of pos-connector',
      POS_CONNECTOR_SESSION: '{"feedToken":"it\\u0027s"}',
      TOKENKEEPER_ACCESS_TOKEN: 'token of pos-connector',
      TOKENKEEPER_EXPIRES_AT: '2026-11-24T06:00:00+05:30',
    })
  })

  test('without a default account the broker’s name goes to the one named first', () => {
    expect(variables(tokenOf('iifl/A-1'), tokenOf('iifl/B2'), tokenOf('fyers'))).toEqual({
      IIFL_ACCESS_TOKEN: 'token of iifl/A-1',
      IIFL_A_1_ACCESS_TOKEN: 'token of iifl/A-1',
      IIFL_B2_ACCESS_TOKEN: 'token of iifl/B2',
      FYERS_ACCESS_TOKEN: 'token of fyers',
    })
  })

  test.each([
    [
      'two accounts whose names differ in punctuation only',
      ['iifl/A-1', 'iifl/A_1'],
      'IIFL_A_1_ACCESS_TOKEN',
    ],
    [
      'an account that is called like another broker',
      ['iifl/a', 'iifl/xts', 'iifl-xts'],
      'IIFL_XTS_ACCESS_TOKEN',
    ],
  ])('%s are a mistake rather than one token for both', (_, ids, name) => {
    expect(() => variables(...ids.map((id) => tokenOf(id)))).toThrow(name)
  })

  test('companions are the same JSON after every quoting', () => {
    const session = new Secret('{"a":"it\'s \\"x\\" $HOME `id`"}')
    const text = sessionText(tokenOf('iifl', { session }).token) ?? ''
    const read = execFileSync('sh', ['-c', `printf %s '${text}'`], { encoding: 'utf8' })
    expect(JSON.parse(read)).toEqual(JSON.parse(session.reveal()))
  })

  test('nothing of an outer command or of ours is handed on, and the rest stays', () => {
    const env = {
      KEPT: 'yes',
      TOKENKEEPER_HOME: '/kept',
      TOKENKEEPER_API_KEY: 'ours',
      TOKENKEEPER_REDIS_URL: 'rediss://:ours@redis.example.invalid',
      TOKENKEEPER_AUTHORIZATION: 'stale',
      FYERS_SESSION: 'stale',
      IIFL_SESSION: 'of no concern here',
    }
    expect(commandEnvironment(env, [tokenOf('fyers')])).toEqual({
      KEPT: 'yes',
      TOKENKEEPER_HOME: '/kept',
      IIFL_SESSION: 'of no concern here',
      FYERS_ACCESS_TOKEN: 'token of fyers',
      TOKENKEEPER_ACCESS_TOKEN: 'token of fyers',
    })
  })
})
