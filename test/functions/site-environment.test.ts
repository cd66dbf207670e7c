import { describe, expect, test } from 'vitest'
import { readSiteEnvironment } from '../../functions/runtime/site/site-environment.ts'
import { TWO_BROKERS, templateOf, variablesOf } from '../infra/template.ts'

const COMPLETE = {
  TOKENKEEPER_SITE_URL: 'https://abcde12345.execute-api.ap-south-1.amazonaws.com',
  TOKENKEEPER_STACK: 'Tokenkeeper',
  TOKENKEEPER_PREFIX: '/stock-pipeline',
  TOKENKEEPER_TABLE: 'Tokenkeeper-state',
  TOKENKEEPER_BROKERS: '{"fyers":{"pacingSeconds":1,"leewayMinutes":90}}',
}

test('the site knows its address and the brokers with the owner’s settings', () => {
  const { brokers, days: _, ...rest } = readSiteEnvironment(COMPLETE)
  expect(rest).toEqual({
    siteUrl: COMPLETE.TOKENKEEPER_SITE_URL,
    stackName: 'Tokenkeeper',
    prefix: '/stock-pipeline',
    table: 'Tokenkeeper-state',
    hosts: {},
  })
  expect(brokers).toMatchObject([{ id: 'fyers', session: { leewayMinutes: 90 } }])
})

test('the settings the stack gives are understood', () => {
  const brokers = {
    fyers: { leewayMinutes: 90, maxLifetimeHours: 12, proveMinutesBeforeOpen: 30 },
    upstox: { pacingSeconds: 2.5, approvalAt: '07:05' },
  }
  const variables = variablesOf(templateOf({ ...TWO_BROKERS, brokers }), 'Tokenkeeper-site')
  const text = String(variables['TOKENKEEPER_BROKERS'])
  expect(text.length).toBeLessThan(150)
  expect(readSiteEnvironment({ ...COMPLETE, TOKENKEEPER_BROKERS: text }).brokers).toMatchObject([
    { id: 'fyers', session: { leewayMinutes: 90, maxLifetimeHours: 12 }, proveMinutesBeforeOpen: 30 },
    { id: 'upstox', pacingSeconds: 2.5, login: { approval: { at: '07:05' } } },
  ])
})

test('hosts the owner has replaced are known, where they are allowed', () => {
  const values = { ...COMPLETE, TOKENKEEPER_HOST_FYERS_API: 'http://gateway.internal' }
  expect(() => readSiteEnvironment(values)).toThrow('TOKENKEEPER_HOST_FYERS_API must be https')
  const allowed = { ...values, TOKENKEEPER_ALLOW_HTTP_HOSTS: 'gateway.internal' }
  expect(readSiteEnvironment(allowed).hosts).toEqual({ FYERS_API: 'http://gateway.internal' })
})

describe('a wrong environment', () => {
  test('is refused with the name of every variable that is missing or wrong, and no value', () => {
    const values = { TOKENKEEPER_SITE_URL: 'canary', TOKENKEEPER_BROKERS: '{"fyers":"canary"' }
    expect(() => readSiteEnvironment(values)).toThrow(
      'the environment of this function is wrong: TOKENKEEPER_SITE_URL: must be a URL; ' +
        'TOKENKEEPER_STACK is not set; TOKENKEEPER_PREFIX is not set; TOKENKEEPER_TABLE is not set; ' +
        'TOKENKEEPER_BROKERS: must be the settings of brokers as JSON',
    )
  })

  test.each([
    '[]',
    '{"fyers":{"pacingSeconds":"1"}}',
    '{"fyers":{"pacingSeconds":1,"leeway":90}}',
    '{"finvasia":{"pacingSeconds":1}}',
  ])('%s are no settings of brokers', (text) => {
    expect(() => readSiteEnvironment({ ...COMPLETE, TOKENKEEPER_BROKERS: text })).toThrow()
  })

  test('with a clock from outside is refused on AWS', () => {
    const values = { ...COMPLETE, TOKENKEEPER_NOW: '2026-11-23T07:00:00+05:30' }
    expect(() => readSiteEnvironment(values)).toThrow(/TOKENKEEPER_NOW/)
  })
})
