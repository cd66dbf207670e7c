import { describe, expect, test } from 'vitest'
import * as z from 'zod/mini'
import { BROKER_IDS, BROKERS } from '../../lib/brokers/index.ts'
import { brokerSettings } from '../../lib/brokers/settings.ts'
import { ConfigSchema } from '../../lib/config.ts'
import { REMIND_MINUTES_BEFORE_OPEN } from '../../lib/markets/reminders.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import { PROVE_MINUTES_BEFORE_OPEN } from '../../lib/tokens/rules/token/due.ts'
import { pageAt, tableUnder } from '../support/page.ts'

/** What the domain does where nothing is set. */
const DOMAIN_DEFAULTS: Readonly<Record<string, unknown>> = {
  'brokers.<id>.remindMinutesBeforeOpen': REMIND_MINUTES_BEFORE_OPEN,
  'brokers.<id>.proveMinutesBeforeOpen': PROVE_MINUTES_BEFORE_OPEN,
}

/** A key as the manual writes it, and its default as the manual does; `undefined` for one that is told in words. */
type Key = readonly [name: string, usual: string | undefined]

/** Every key below a place in the schema of the configuration, in the schema's order. */
function keysIn(type: z.core.$ZodType, name: string, usual?: unknown): readonly Key[] {
  if (type instanceof z.core.$ZodDefault) {
    const { innerType, defaultValue } = type._zod.def
    return keysIn(innerType, name, defaultValue)
  }
  if (type instanceof z.core.$ZodOptional) return keysIn(type._zod.def.innerType, name)
  if (type instanceof z.core.$ZodArray && type._zod.def.element instanceof z.core.$ZodObject) {
    return keysIn(type._zod.def.element, `${name}[]`)
  }
  if (!(type instanceof z.core.$ZodObject)) return [[name, usual === undefined ? undefined : written(usual)]]
  const below = name === '' ? '' : `${name}.`
  return Object.entries(type._zod.def.shape).flatMap(([key, inner]) =>
    below + key === 'brokers' ? brokerKeys() : keysIn(inner, below + key),
  )
}

/** What every broker has alike is `<id>`'s, with a default where that is the same for all. */
function brokerKeys(): readonly Key[] {
  const known: readonly Broker[] = Object.values(BROKERS)
  const shapes = known.map((broker) => brokerSettings(broker)._zod.def.shape)
  const [shape = {}] = shapes
  const keys = Object.keys(shape).flatMap((key): readonly Key[] => {
    const name = `brokers.<id>.${key}`
    if (key === 'hosts') return [[`${name}.<NAME>`, undefined]]
    if (key === 'approvalAt') {
      const asking = known.filter(({ login }) => login?.approval)
      return asking.map(({ id }) => [`brokers.${id}.${key}`, undefined])
    }
    const usual = new Set(
      shapes.flatMap((of) => keysIn(of[key as keyof typeof of], name)).map(([, value]) => value),
    )
    const [value] = usual
    const inDomain = DOMAIN_DEFAULTS[name]
    return [[name, inDomain === undefined ? (usual.size === 1 ? value : undefined) : written(inDomain)]]
  })
  return [['brokers.<id>', undefined], ...keys]
}

function written(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value).replaceAll(',', ', ')}\``
}

describe('the table of the configuration in infra/README.md', () => {
  const rows = tableUnder(pageAt('infra/README.md'), '## Configuration')
  const told = new Map(
    rows.map(([key = '', usual = '', meaning = '']) => [key.replaceAll('`', ''), { usual, meaning }]),
  )
  const keys = keysIn(ConfigSchema, '')

  test('has every key of the schema once, in its order, and no other', () => {
    expect(BROKER_IDS.length).toBeGreaterThan(1)
    expect(rows.map(([key = '']) => key.replaceAll('`', ''))).toEqual(keys.map(([name]) => name))
  })

  test.each(keys)('tells the default of %s, and what it means', (name, usual) => {
    expect(told.get(name)?.meaning).toMatch(/\w/)
    // A default that is not one value is told in words.
    if (usual === undefined) expect(told.get(name)?.usual).not.toMatch(/^`[^`]*`$/)
    else expect(told.get(name)?.usual).toBe(usual)
  })
})
