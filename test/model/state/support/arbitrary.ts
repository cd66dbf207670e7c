import * as fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import type * as z from 'zod/mini'
import type { AccountState } from '../../../../lib/model/account-state.ts'
import { AccountState as Schema } from '../../../../lib/model/state/record.ts'
import { defOf } from './walk.ts'

/** The name of a field that no release has had, in any part of a record. */
const OF_A_LATER_RELEASE = 'fieldOfALaterRelease'

const INSTANT = fc
  .bigInt({ min: -(10n ** 20n), max: 10n ** 20n })
  .map((nanoseconds) => Temporal.Instant.fromEpochNanoseconds(nanoseconds))
const NUMBER = fc.oneof(
  fc.integer(),
  fc.integer({ min: -10_000, max: 10_000 }).map((number) => number / 8 || 0),
)
const UNKNOWN = fc.constantFrom<unknown>('text', 7, true, ['a'], { since: '2026-11-23T12:00:00Z' })

/** Any record the schema allows, with fields of a later release among its own. */
export const anyState = arbitraryOf(Schema) as fc.Arbitrary<AccountState>

function arbitraryOf(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  const def = defOf(schema)
  switch (def.type) {
    case 'object': {
      const fields = Object.entries(def.shape)
      const required = fields.filter(([, field]) => defOf(field).type !== 'optional').map(([name]) => name)
      const arbitraries: Record<string, fc.Arbitrary<unknown>> = Object.fromEntries(
        fields.map(([name, field]) => [name, arbitraryOf(field)]),
      )
      arbitraries[OF_A_LATER_RELEASE] = UNKNOWN
      return fc.record(arbitraries, { requiredKeys: required, noNullPrototype: true })
    }
    case 'optional':
      return arbitraryOf(def.innerType)
    case 'array':
      return fc.array(arbitraryOf(def.element), { maxLength: 3 })
    case 'record':
      return fc.dictionary(fc.stringMatching(/^[a-z]\w{0,9}$/), arbitraryOf(def.valueType), {
        maxKeys: 3,
        noNullPrototype: true,
      })
    case 'enum':
      return fc.constantFrom(...Object.values(def.entries))
    case 'literal':
      return fc.constantFrom(...def.values)
    case 'pipe':
      return INSTANT
    case 'number':
      return NUMBER
    case 'boolean':
      return fc.boolean()
    case 'string':
      return fc.string({ unit: 'grapheme' })
    case 'custom':
      // Account ids, which are names as good as any where names are open.
      return fc.constantFrom('fyers', 'iifl/28748327')
  }
}
