import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { ALL_BROKERS } from '../../lib/brokers/index.ts'
import { redisAddress, splitPassword } from '../../lib/mirrors/redis/address.ts'
import { infoOf, isNewer, parseInfo } from '../../lib/mirrors/redis/info.ts'
import { keysOf, secondsToLive } from '../../lib/mirrors/redis/keys.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { ConfigurationError } from '../../lib/model/errors.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import { EXPIRES, ISSUED, publication } from './support/publication.ts'

const at = (text: string): Temporal.Instant => Temporal.Instant.from(text)
const names = (account: string, defaultAccounts: string[] = []): readonly string[] =>
  keysOf(parseAccountId(account), { defaultAccounts, brokers: ALL_BROKERS }).flatMap(({ token, info }) => [
    token,
    info,
  ])

describe('R2.8 the keys', () => {
  test.each([
    ['upstox/ACC1', [], ['upstox_access_token:ACC1', 'token_info:ACC1']],
    ['upstox', [], ['upstox_access_token', 'token_info']],
    ['iifl/28748327', [], ['iifl_access_token:28748327', 'iifl_token_info:28748327']],
    ['pos-connector', [], ['pos_connector_access_token', 'pos_connector_token_info']],
    [
      'upstox/ACC1',
      ['fyers/BINA', 'upstox/ACC1', 'upstox/ACC2'],
      ['upstox_access_token:ACC1', 'token_info:ACC1', 'upstox_access_token', 'token_info'],
    ],
    ['upstox/ACC2', ['upstox/ACC1', 'upstox/ACC2'], ['upstox_access_token:ACC2', 'token_info:ACC2']],
    ['upstox', ['upstox/ACC1'], []],
    ['fyers', ['upstox/ACC1'], ['fyers_access_token', 'fyers_token_info']],
  ])('of %s, with %j as default accounts', (account, defaultAccounts, keys) => {
    expect(names(account, defaultAccounts)).toEqual(keys)
  })

  test.each([
    [EXPIRES, 70_200],
    ['2026-09-15T08:00:00+05:30', 86_400],
    ['2026-09-16T03:30:00+05:30', 86_400],
    ['2026-09-14T08:00:01.999+05:30', 1],
    ['2026-09-14T08:00:00.999+05:30', 0],
  ])('of a token that ends at %s live %i seconds', (expiresAt, seconds) => {
    expect(secondsToLive(at(expiresAt), at(ISSUED))).toBe(seconds)
  })
})

describe('what is known of a token', () => {
  const known = (expiresAt = EXPIRES) =>
    JSON.parse(
      infoOf(
        { ...publication('upstox/ACC1', 1, { expiresAt }), accessToken: new Secret('sim.access.jwt') },
        at(ISSUED),
      ),
    )

  test("is told in the broker's zone, with the fingerprint of the token", () => {
    expect(known()).toMatchObject({ expires_at: EXPIRES, issued_at: ISSUED, fingerprint: 'a422ef2e6fc03cf1' })
    expect(known('2026-09-14T22:00:00Z')).toMatchObject({ expires_at: EXPIRES })
  })

  test('never holds the token', () => {
    expect(JSON.stringify(known())).not.toContain('sim.access')
  })

  test.each([
    null,
    '',
    'sim.access.jwt',
    '[]',
    '{"generation":9}',
    '{"account":"upstox/ACC1","issued_at":"soon"}',
  ])('is not taken from what we did not write: %j', (text) => expect(parseInfo(text)).toBeUndefined())

  test.each([
    ['a later generation', 3, ISSUED, true],
    ['the same generation', 2, ISSUED, false],
    ['an earlier generation', 1, ISSUED, false],
    ['a later generation of an account that is no more', 3, '2026-09-13T08:00:00+05:30', false],
  ])('%s that is there stays: %s', (_, generation, issuedAt, stays) => {
    const stored = parseInfo(infoOf(publication('upstox/ACC1', generation, { issuedAt }), at(ISSUED)))
    expect(isNewer(stored, publication('upstox/ACC1', 2))).toBe(stays)
    expect(isNewer(stored, publication('upstox/ACC2', 2))).toBe(false)
  })
})

describe('the address of a Redis', () => {
  test('is taken apart', () => {
    expect(redisAddress('rediss://m%40il@cache.example.invalid:6380/2')).toEqual({
      host: 'cache.example.invalid',
      port: 6380,
      tls: true,
      username: 'm@il',
      database: 2,
      shown: 'cache.example.invalid:6380',
    })
    expect(redisAddress('redis://[::1]')).toMatchObject({ host: '::1', port: 6379, tls: false, database: 0 })
  })

  test.each([
    'rediss://cache.invalid/SIM-pw',
    'rediss://cache.invalid?password=SIM-pw',
    'rediss://cache.invalid#SIM-pw',
    'rediss://SIM-pw%@cache.invalid',
    'https://SIM-pw@cache.invalid',
    'SIM-pw',
  ])('that is none is refused and not repeated: %s', (url) => {
    expect(() => redisAddress(url)).toThrow(ConfigurationError)
    expect(() => redisAddress(url)).not.toThrow(/SIM-pw/)
  })

  test('may come with a password, which is taken out at once', () => {
    const { url, password } = splitPassword('rediss://mirror:SIM%2Fpassword@cache.invalid/1', 'it')
    expect(url).toBe('rediss://mirror@cache.invalid/1')
    expect(password?.reveal()).toBe('SIM/password')
    expect(splitPassword('rediss://cache.invalid', 'it')).toEqual({ url: 'rediss://cache.invalid' })
  })
})
