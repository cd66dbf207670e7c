import { describe, expect, test } from 'vitest'
import { readEnvironment } from '../../functions/runtime/environment.ts'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'

const COMPLETE = {
  AWS_LAMBDA_FUNCTION_NAME: 'Tokenkeeper-fyers',
  TOKENKEEPER_PREFIX: '/stock-pipeline',
  TOKENKEEPER_TABLE: 'Tokenkeeper-state',
  TOKENKEEPER_TOPIC_ARN: 'arn:aws:sns:ap-south-1:111122223333:Tokenkeeper-alerts',
  TOKENKEEPER_PACING_SECONDS: '2.5',
}

test('what the stack always sets is enough', () => {
  expect(readEnvironment(fyers, COMPLETE)).toEqual({
    functionName: 'Tokenkeeper-fyers',
    prefix: '/stock-pipeline',
    table: 'Tokenkeeper-state',
    topicArn: COMPLETE.TOKENKEEPER_TOPIC_ARN,
    eventsTopicArn: undefined,
    redis: undefined,
    keyId: undefined,
    settings: {
      pacingSeconds: 2.5,
      leewayMinutes: undefined,
      maxLifetimeHours: undefined,
      remindMinutesBeforeOpen: undefined,
      approvalAt: undefined,
    },
    siteUrl: undefined,
    hosts: {},
    allowHttpHosts: [],
  })
})

test('the owner’s settings are read as numbers', () => {
  const values = { ...COMPLETE, TOKENKEEPER_LEEWAY_MINUTES: '1440', TOKENKEEPER_MAX_LIFETIME_HOURS: '12' }
  expect(readEnvironment(fyers, values).settings).toMatchObject({ leewayMinutes: 1440, maxLifetimeHours: 12 })
})

test('reminders are minutes with commas between them, or none', () => {
  const reminders = (text: string) =>
    readEnvironment(fyers, { ...COMPLETE, TOKENKEEPER_REMIND_MINUTES_BEFORE_OPEN: text }).settings
  expect(reminders('60,30')).toMatchObject({ remindMinutesBeforeOpen: [60, 30] })
  expect(reminders('')).toMatchObject({ remindMinutesBeforeOpen: [] })
  expect(() => reminders('an hour')).toThrow('TOKENKEEPER_REMIND_MINUTES_BEFORE_OPEN: must be numbers')
})

test('the login site and the time to ask in the broker’s app are there where the stack has them', () => {
  const values = {
    ...COMPLETE,
    TOKENKEEPER_SITE_URL: 'https://login.example.invalid',
    TOKENKEEPER_APPROVAL_AT: '07:05',
  }
  expect(readEnvironment(fyers, values)).toMatchObject({
    siteUrl: 'https://login.example.invalid',
    settings: { approvalAt: '07:05' },
  })
  const wrong = { ...values, TOKENKEEPER_SITE_URL: 'canary', TOKENKEEPER_APPROVAL_AT: 'canary' }
  expect(() => readEnvironment(fyers, wrong)).toThrow(
    'TOKENKEEPER_APPROVAL_AT: must be a time of day; TOKENKEEPER_SITE_URL: must be a URL',
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
  const values = { TOKENKEEPER_PREFIX: '/stock-pipeline', TOKENKEEPER_PACING_SECONDS: 'canary' }
  expect(() => readEnvironment(fyers, values)).toThrow(
    'the environment of this function is wrong: AWS_LAMBDA_FUNCTION_NAME is not set; TOKENKEEPER_TABLE is not set; ' +
      'TOKENKEEPER_TOPIC_ARN is not set; TOKENKEEPER_PACING_SECONDS: must be a number',
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
    const values = { ...COMPLETE, TOKEN_REFRESH_SERVICE_URL: 'https://tokens.example.com/api' }
    expect(readEnvironment(upstox, values).hosts).toEqual({ TOKEN_SERVICE: 'https://tokens.example.com/api' })
  })
})
