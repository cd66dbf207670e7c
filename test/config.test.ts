import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { BROKER_IDS } from '../lib/brokers/index.ts'
import { enabledBrokers, parseConfig } from '../lib/config.ts'
import { ConfigurationError } from '../lib/model/errors.ts'

function json(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as Record<string, unknown>
}

function mistakes(context: unknown): string {
  try {
    parseConfig(context)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError)
    return (error as Error).message
  }
  throw new Error('the configuration was accepted')
}

describe('the configuration', () => {
  test('of cdk.json is valid and enables every broker there is', () => {
    const { context } = json('../cdk.json') as { context: { tokenkeeper: unknown } }
    const config = parseConfig(context.tokenkeeper)
    expect(config.prefix).toBe('/stock-pipeline')
    expect(enabledBrokers(config).map(({ broker }) => broker.id)).toEqual(BROKER_IDS)
  })

  test('is complete without a word', () => {
    expect(parseConfig(undefined)).toMatchObject({
      backend: 'local',
      prefix: '/tokenkeeper',
      logRetentionDays: 30,
      brokers: {},
    })
  })

  test('R0.1 R2.9 schedules IIFL at 03:00 and Upstox at 08:00 of Asia/Kolkata by default', () => {
    const { iifl, upstox } = parseConfig({ brokers: { iifl: {}, upstox: {} } }).brokers
    expect(iifl).toMatchObject({
      timeZone: 'Asia/Kolkata',
      schedules: expect.arrayContaining(['cron(0 3 * * ? *)']),
    })
    expect(upstox?.timeZone).toBe('Asia/Kolkata')
    expect(upstox?.schedules.join()).toMatch(/cron\(0 8 /)
  })

  test('R0.2 a disabled broker is not enabled', () => {
    expect(enabledBrokers(parseConfig({ brokers: { fyers: { enabled: false } } }))).toEqual([])
  })

  test('R1.3 every 6 hours and a leeway of 24 hours are valid', () => {
    const config = parseConfig({ brokers: { upstox: { schedules: ['rate(6 hours)'], leewayMinutes: 1440 } } })
    expect(enabledBrokers(config)[0]?.broker.session.leewayMinutes).toBe(1440)
  })
})

describe('a mistake says where it is, what was given and what is allowed', () => {
  test.each([
    [{ prefx: '/x' }, 'tokenkeeper: unknown key "prefx". Allowed: backend, stackName, prefix,'],
    [{ prefix: 'x' }, 'prefix: write a path such as /stock-pipeline (given: "x")'],
    [{ prefix: '/aws/x' }, 'prefix: SSM reserves names'],
    [{ brokers: { zerodhaa: {} } }, 'brokers: unknown key "zerodhaa". Allowed: fyers'],
    [
      { brokers: { fyers: { shedules: [] } } },
      'brokers.fyers: unknown key "shedules". Allowed: enabled, schedules',
    ],
    [{ brokers: { fyers: { schedules: ['0 3 * * *'] } } }, 'it is neither cron(…) nor rate(…)'],
    [{ brokers: { fyers: { schedules: ['cron(0 3 * * *)'] } } }, 'it has 5 fields; cron has six'],
    [{ brokers: { fyers: { schedules: ['cron(0 24 * * ? *)'] } } }, 'is out of range'],
    [{ brokers: { fyers: { timeZone: 'IST-5:30' } } }, '"IST-5:30" is no IANA time zone'],
    [
      { brokers: { fyers: { hosts: { FYERS: 'https://x.invalid' } } } },
      'unknown key "FYERS". Allowed: FYERS_API',
    ],
    [
      { brokers: { fyers: { hosts: { FYERS_API: 'http://x.invalid' } } } },
      'brokers.fyers.hosts.FYERS_API must be https',
    ],
    [{ logRetentionDays: 8 }, 'logRetentionDays: allowed: 1, 3, 5, 7'],
    [{ alertEmails: ['nobody'] }, 'alertEmails.0:'],
    [{ brokers: { fyers: { proveMinutesBeforeOpen: 181 } } }, 'brokers.fyers.proveMinutesBeforeOpen: '],
    [{ site: { uri: 'x' } }, 'site: unknown key "uri". Allowed: enabled, rest, url, reservedConcurrency'],
    [
      { mirrors: { redis: { host: 'x' } } },
      'mirrors.redis: unknown key "host". Allowed: url, defaultAccounts',
    ],
    [{ mirrors: { files: [{ paths: [] }] } }, 'mirrors.files.0: unknown key "paths". Allowed: path, format'],
    [{ mirrors: { redis: { url: 'redis://cache.invalid' } } }, 'mirrors.redis.url must be rediss'],
    [{ mirrors: { files: [{ path: 'x', format: 'token' }] } }, 'holds the token of one account: name it'],
  ])('%j', (context, message) => expect(mistakes(context)).toContain(message))

  test.each(['rediss://user:SIM-pw@cache.invalid', 'http://user:SIM-pw@cache.invalid'])(
    'a password in the address of a Redis is refused and not repeated: %s',
    (url) => {
      const message = mistakes({ mirrors: { redis: { url } } })
      expect(message).toContain('mirrors.redis.url')
      expect(message).not.toContain('SIM-pw')
    },
  )

  test('every mistake is listed, not only the first', () => {
    const message = mistakes({ prefix: 'x', alertEmails: ['nobody'], brokers: { zerodhaa: {} } })
    expect(message.split('\n')).toHaveLength(4)
  })

  test('plain http is allowed to loopback and to listed hosts', () => {
    const hosts = { FYERS_API: 'http://127.0.0.1:9001' }
    expect(() => parseConfig({ brokers: { fyers: { hosts } } })).not.toThrow()
    const listed = {
      allowHttpHosts: ['gateway.internal'],
      brokers: { fyers: { hosts: { FYERS_API: 'http://gateway.internal' } } },
    }
    expect(() => parseConfig(listed)).not.toThrow()
  })
})
