import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { readEnvironment } from '../../functions/runtime/environment.ts'
import { readSiteEnvironment } from '../../functions/runtime/site/site-environment.ts'
import { BROKER_IDS, BROKERS } from '../../lib/brokers/index.ts'
import {
  type BrokerSettings,
  brokerSettings,
  settingsById,
  settingsText,
} from '../../lib/brokers/settings.ts'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import { enabledBrokers, parseConfig } from '../../lib/config.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import { resourcesOf, templateOf, variablesOf } from './template.ts'

/** Of each setting a value that is not its default. */
const SET: { readonly [Key in keyof Required<BrokerSettings>]: BrokerSettings[Key] } = {
  enabled: false,
  schedules: ['rate(6 hours)'],
  timeZone: 'America/New_York',
  markets: ['in-mcx'],
  leewayMinutes: 90,
  maxLifetimeHours: 12,
  remindMinutesBeforeOpen: [90, 15],
  proveMinutesBeforeOpen: 30,
  approvalAt: '07:05',
  pacingSeconds: 2.5,
  timeoutMinutes: 3,
  memoryMb: 512,
  hosts: { UPSTOX_API: 'https://gateway.example.com' },
}
const KEYS = Object.keys(SET) as readonly (keyof BrokerSettings)[]
/** What the stack itself does, and no function has to know. */
const OF_THE_STACK = ['timeoutMinutes', 'memoryMb']

const NAME = 'Tokenkeeper-upstox'

/** What becomes of settings in cdk.json: the function as it is deployed, and what it and the site read of them. */
function deployed(settings: Partial<BrokerSettings>) {
  const context = { prefix: '/stock-pipeline', brokers: { upstox: settings } }
  const template = templateOf(context)
  const named = (name: string) => ({
    ...Object.fromEntries(
      Object.entries(variablesOf(template, name)).map(([variable, value]) => [
        variable,
        typeof value === 'string' ? value : 'https://reference.example.invalid',
      ]),
    ),
    AWS_LAMBDA_FUNCTION_NAME: name,
  })
  const site = readSiteEnvironment(named('Tokenkeeper-site'))
  const { broker, hosts } = readEnvironment(upstox, named(NAME))
  const [handler] = resourcesOf(template, 'AWS::Lambda::Function').filter(
    ({ Properties }) => Properties['FunctionName'] === NAME,
  )
  const { Timeout, MemorySize } = handler?.Properties ?? {}
  return { broker, hosts, site, own: { Timeout, MemorySize }, config: parseConfig(context) }
}

/** A broker as it compares: its session by the names of its markets. */
function told(broker: Broker | undefined): object {
  return { ...broker, tradingSession: broker?.tradingSession?.markets }
}

test('every setting there is has a value to try', () => {
  expect(KEYS.toSorted()).toEqual(Object.keys(brokerSettings(upstox)._zod.def.shape).toSorted())
})

describe('a setting of cdk.json', () => {
  const usual = deployed({})

  test.each(KEYS.filter((key) => key !== 'enabled'))('%s reaches whoever it is for', (key) => {
    const { broker, hosts, site, own, config } = deployed({ [key]: SET[key] })
    // The command, the local service and the stack have the same broker.
    expect(told(broker)).toEqual(told(enabledBrokers(config)[0]?.broker))
    expect(site.brokers.map(told)).toEqual([told(broker)])
    expect(site.hosts).toEqual(hosts)
    const inFunction = { broker: told(broker), hosts }
    const before = { broker: told(usual.broker), hosts: usual.hosts }
    if (OF_THE_STACK.includes(key)) {
      expect(own).not.toEqual(usual.own)
      expect(inFunction).toEqual(before)
    } else {
      expect(inFunction).not.toEqual(before)
    }
  })

  test('enabled decides whether there is a function at all', () => {
    const template = templateOf({ brokers: { upstox: { enabled: SET.enabled } } })
    const names = resourcesOf(template, 'AWS::Lambda::Function').map(
      ({ Properties }) => Properties['FunctionName'],
    )
    expect(names).not.toContain(NAME)
  })
})

describe('settings as text', () => {
  test('say the same on the way back, whichever are set', () => {
    const codec = settingsText(BROKERS)
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...BROKER_IDS), fc.subarray([...KEYS])),
        (chosen: Record<string, (keyof BrokerSettings)[]>) => {
          const given = Object.entries(chosen).map(([id, keys]) => {
            // Of the brokers here only Upstox has these hosts, and an approval.
            const fit = keys.filter((key) => id === 'upstox' || !['hosts', 'approvalAt'].includes(key))
            return [id, Object.fromEntries(fit.map((key) => [key, SET[key]]))]
          })
          const settings = settingsById(BROKERS).parse(Object.fromEntries(given))
          const text = z.encode(codec, settings)
          expect(codec.parse(text)).toEqual(settings)
          expect(JSON.parse(text)).toEqual(Object.fromEntries(given))
        },
      ),
    )
  })

  test('that set nothing are next to nothing', () => {
    const all = settingsById(BROKERS).parse(Object.fromEntries(BROKER_IDS.map((id) => [id, {}])))
    expect(z.encode(settingsText(BROKERS), all).length).toBeLessThan(BROKER_IDS.length * 20)
  })
})

describe('the variables of a function', () => {
  test.each([
    [
      'allowHttpHosts',
      { allowHttpHosts: Array.from({ length: 300 }, (_, index) => `host${index}.internal`) },
    ],
    [
      'schedules',
      { brokers: { upstox: { schedules: Array.from({ length: 250 }, () => 'cron(0 8 * * ? *)') } } },
    ],
  ])('are refused where Lambda has no room for them, with what is largest: %s', (_, settings) => {
    const context = { prefix: '/stock-pipeline', brokers: { upstox: {} }, ...settings }
    const largest = 'allowHttpHosts' in settings ? 'TOKENKEEPER_ALLOW_HTTP_HOSTS' : 'TOKENKEEPER_BROKERS'
    expect(() => templateOf(context)).toThrow(
      expect.objectContaining({
        code: 'configuration_invalid',
        message: expect.stringMatching(
          new RegExp(
            `variables of Tokenkeeper-upstox take \\d{4} bytes and Lambda allows 4096; most .*of ${largest} \\(`,
          ),
        ),
        fix: expect.stringContaining('cdk.json'),
      }),
    )
  })
})
