import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { readEnvironment } from '../../functions/runtime/environment.ts'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import { NO_CHANGES } from '../../lib/model/market-days.ts'

const COMPLETE = {
  AWS_LAMBDA_FUNCTION_NAME: 'Tokenkeeper-fyers',
  TOKENKEEPER_STACK: 'Tokenkeeper',
  TOKENKEEPER_PREFIX: '/stock-pipeline',
  TOKENKEEPER_TABLE: 'Tokenkeeper-state',
  TOKENKEEPER_TOPIC_ARN: 'arn:aws:sns:ap-south-1:111122223333:Tokenkeeper-alerts',
  TOKENKEEPER_BROKERS: '{"fyers":{"pacingSeconds":2.5}}',
}

test('what the stack always sets is enough', () => {
  const { days, broker, ...rest } = readEnvironment(fyers, COMPLETE)
  expect(rest).toEqual({
    functionName: 'Tokenkeeper-fyers',
    stackName: 'Tokenkeeper',
    prefix: '/stock-pipeline',
    table: 'Tokenkeeper-state',
    topicArn: COMPLETE.TOKENKEEPER_TOPIC_ARN,
    eventsTopicArn: undefined,
    redis: undefined,
    keyId: undefined,
    siteUrl: undefined,
    hosts: {},
    allowHttpHosts: [],
  })
  expect(days.now()).toEqual(NO_CHANGES)
  const { markets } = fyers.tradingSession
  expect(broker).toEqual({
    ...fyers,
    pacingSeconds: 2.5,
    tradingSession: expect.objectContaining({ markets }),
  })
})

test('what cdk.json says of single days is what the broker’s session knows', () => {
  const closed = [{ market: 'in-equity', date: '2026-12-01', why: 'elections' }]
  const text = JSON.stringify({ closed: [...closed, { market: 'of-a-later-release', date: '2026-12-01' }] })
  const { days, broker } = readEnvironment(fyers, { ...COMPLETE, TOKENKEEPER_MARKET_DAYS: text })
  expect(days.now()).toEqual({ closed, sessions: [] })
  const session = broker.tradingSession?.of(['in-equity'])
  expect(session?.on(Temporal.PlainDate.from('2026-12-01'))).toBeUndefined()
  expect(() => readEnvironment(fyers, { ...COMPLETE, TOKENKEEPER_MARKET_DAYS: 'canary' })).toThrow(
    'the environment of this function is wrong: TOKENKEEPER_MARKET_DAYS: must be days of markets as JSON',
  )
})

/** FYERS with these settings in the variable. */
const fyersSet = (settings: unknown) => {
  const values = { ...COMPLETE, TOKENKEEPER_BROKERS: JSON.stringify({ fyers: settings }) }
  return readEnvironment(fyers, values).broker
}

test('the owner’s settings are those of the broker, and what is not set is its own', () => {
  expect(fyersSet({ leewayMinutes: 1440, maxLifetimeHours: 12 }).session).toMatchObject({
    leewayMinutes: 1440,
    maxLifetimeHours: 12,
  })
  const { tradingSession, ...usual } = fyers
  expect(fyersSet({})).toMatchObject({ ...usual, tradingSession: { markets: tradingSession.markets } })
})

test('reminders are minutes, or none', () => {
  expect(fyersSet({ remindMinutesBeforeOpen: [60, 30] })).toMatchObject({ remindMinutesBeforeOpen: [60, 30] })
  expect(fyersSet({ remindMinutesBeforeOpen: [] })).toMatchObject({ remindMinutesBeforeOpen: [] })
})

test.each([
  ['{"fyers":{"remindMinutesBeforeOpen":["canary"]}}', 'fyers.remindMinutesBeforeOpen.0 is wrong'],
  ['{"fyers":{"timeZone":"canary"}}', 'fyers.timeZone is wrong'],
  ['{"fyers":{"hosts":{"FYERS_API":"canary"}}}', 'fyers.hosts.FYERS_API is wrong'],
  ['{"fyers":{"approvalAt":"07:05"}}', 'fyers.approvalAt is wrong'],
  ['{"fyers":{"leeway":90}}', 'fyers.leeway is unknown'],
  ['{"upstox":{}}', 'upstox is unknown'],
  ['canary', 'must be the settings of brokers as JSON'],
])('settings such as %s are refused by their place, and without their value', (text, says) => {
  const refused = expect.objectContaining({
    message: `the environment of this function is wrong: TOKENKEEPER_BROKERS: ${says}`,
  })
  expect(() => readEnvironment(fyers, { ...COMPLETE, TOKENKEEPER_BROKERS: text })).toThrow(refused)
})

test('a variable without the function’s own broker is refused', () => {
  expect(() => readEnvironment(fyers, { ...COMPLETE, TOKENKEEPER_BROKERS: '{}' })).toThrow(
    'TOKENKEEPER_BROKERS has no fyers',
  )
})

test('the login site and the time to ask in the broker’s app are there where the stack has them', () => {
  const values = {
    ...COMPLETE,
    TOKENKEEPER_SITE_URL: 'https://login.example.invalid',
    TOKENKEEPER_BROKERS: '{"upstox":{"approvalAt":"07:05"}}',
  }
  expect(readEnvironment(upstox, values)).toMatchObject({
    siteUrl: 'https://login.example.invalid',
    broker: { login: { approval: { at: '07:05' } } },
  })
  const settings = '{"upstox":{"approvalAt":"canary"}}'
  const wrong = { ...values, TOKENKEEPER_SITE_URL: 'canary', TOKENKEEPER_BROKERS: settings }
  expect(() => readEnvironment(upstox, wrong)).toThrow(
    'TOKENKEEPER_BROKERS: upstox.approvalAt is wrong; TOKENKEEPER_SITE_URL: must be a URL',
  )
})

describe('who is told of published tokens', () => {
  const MIRRORED = { ...COMPLETE, TOKENKEEPER_REDIS_URL: 'rediss://keeper@redis.example.invalid:6380/2' }

  test('are the topic of the events and the Redis the stack names', () => {
    const values = {
      ...MIRRORED,
      TOKENKEEPER_EVENTS_TOPIC_ARN: 'arn:aws:sns:ap-south-1:111122223333:Tokenkeeper-tokens',
      TOKENKEEPER_REDIS_DEFAULT_ACCOUNTS: 'upstox/ACC1,fyers/papa',
    }
    expect(readEnvironment(fyers, values)).toMatchObject({
      eventsTopicArn: values.TOKENKEEPER_EVENTS_TOPIC_ARN,
      redis: { url: values.TOKENKEEPER_REDIS_URL, defaultAccounts: ['upstox/ACC1', 'fyers/papa'] },
    })
    expect(readEnvironment(fyers, MIRRORED).redis).toMatchObject({ defaultAccounts: [] })
  })

  test.each([
    ['is no address of a Redis', { TOKENKEEPER_REDIS_URL: 'https://canary.example.invalid' }],
    ['must be rediss', { TOKENKEEPER_REDIS_URL: 'redis://canary.example.invalid' }],
    ['must be account ids', { TOKENKEEPER_REDIS_DEFAULT_ACCOUNTS: 'upstox/ACC1,canary/of/three' }],
  ])('are refused where the variable %s', (reason, wrong) => {
    const [variable = ''] = Object.keys(wrong)
    const refused = expect.objectContaining({
      message: expect.stringMatching(new RegExp(`^(?!.*canary).*${variable}:? ${reason}`)),
    })
    expect(() => readEnvironment(fyers, { ...MIRRORED, ...wrong })).toThrow(refused)
  })

  test('may have a Redis without TLS where the owner listed its host', () => {
    const values = { ...COMPLETE, TOKENKEEPER_REDIS_URL: 'redis://redis.internal' }
    expect(
      readEnvironment(fyers, { ...values, TOKENKEEPER_ALLOW_HTTP_HOSTS: 'redis.internal' }).redis,
    ).toEqual({ url: 'redis://redis.internal', defaultAccounts: [] })
  })
})

test('every missing or wrong variable is named at once, and no value', () => {
  const values = { TOKENKEEPER_PREFIX: '/stock-pipeline', TOKENKEEPER_BROKERS: 'canary' }
  expect(() => readEnvironment(fyers, values)).toThrow(
    'the environment of this function is wrong: AWS_LAMBDA_FUNCTION_NAME is not set; TOKENKEEPER_TABLE is not set; ' +
      'TOKENKEEPER_TOPIC_ARN is not set; TOKENKEEPER_BROKERS: must be the settings of brokers as JSON',
  )
})

test('a clock from outside is refused on AWS', () => {
  const values = { ...COMPLETE, TOKENKEEPER_NOW: '2026-11-23T07:00:00+05:30' }
  expect(() => readEnvironment(fyers, values)).toThrow(/TOKENKEEPER_NOW/)
})

describe('hosts', () => {
  test('are replaced by https and loopback origins, without a slash at the end', () => {
    const https = { ...COMPLETE, TOKENKEEPER_HOST_FYERS_API: 'https://gateway.example.com/' }
    expect(readEnvironment(fyers, https).hosts).toEqual({ FYERS_API: 'https://gateway.example.com' })
    const loopback = { ...COMPLETE, TOKENKEEPER_HOST_FYERS_API: 'http://127.0.0.1:9001' }
    expect(readEnvironment(fyers, loopback).hosts).toEqual({ FYERS_API: 'http://127.0.0.1:9001' })
  })

  test('are those of the settings, unless a variable of their own replaces them', () => {
    const set = (url: string) => JSON.stringify({ fyers: { hosts: { FYERS_API: url } } })
    const values = { ...COMPLETE, TOKENKEEPER_BROKERS: set('https://gateway.example.com/') }
    expect(readEnvironment(fyers, values).hosts).toEqual({ FYERS_API: 'https://gateway.example.com' })
    const both = { ...values, TOKENKEEPER_HOST_FYERS_API: 'http://127.0.0.1:9001' }
    expect(readEnvironment(fyers, both).hosts).toEqual({ FYERS_API: 'http://127.0.0.1:9001' })
    const plain = { ...COMPLETE, TOKENKEEPER_BROKERS: set('http://gateway.internal') }
    expect(() => readEnvironment(fyers, plain)).toThrow(
      'fyers.hosts.FYERS_API of TOKENKEEPER_BROKERS must be https',
    )
  })

  test('are refused over plain http unless the owner listed them', () => {
    const values = { ...COMPLETE, TOKENKEEPER_HOST_FYERS_API: 'http://gateway.internal' }
    expect(() => readEnvironment(fyers, values)).toThrow('TOKENKEEPER_HOST_FYERS_API must be https')
    const listed = { ...values, TOKENKEEPER_ALLOW_HTTP_HOSTS: 'other.internal, gateway.internal' }
    expect(readEnvironment(fyers, listed)).toMatchObject({
      hosts: { FYERS_API: 'http://gateway.internal' },
      allowHttpHosts: ['other.internal', 'gateway.internal'],
    })
  })

  test('with a name the broker does not have are refused with those it has', () => {
    const values = { ...COMPLETE, TOKENKEEPER_HOST_FYERS_APY: 'https://gateway.example.com' }
    expect(() => readEnvironment(fyers, values)).toThrow(
      expect.objectContaining({
        message: 'TOKENKEEPER_HOST_FYERS_APY names no broker host there is',
        fix: 'use TOKENKEEPER_HOST_FYERS_API',
      }),
    )
  })

  test('R2.5 the token service has the name its users know', () => {
    const service = { TOKEN_REFRESH_SERVICE_URL: 'https://tokens.example.com/api' }
    const values = { ...COMPLETE, ...service, TOKENKEEPER_BROKERS: '{"upstox":{}}' }
    expect(readEnvironment(upstox, values).hosts).toEqual({ TOKEN_SERVICE: 'https://tokens.example.com/api' })
  })
})
