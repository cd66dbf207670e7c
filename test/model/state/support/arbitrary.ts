import * as fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import type { AccountState } from '../../../../lib/model/account-state.ts'
import type { Field } from '../../../../lib/model/state/fields.ts'
import { AccountState as Declared } from '../../../../lib/model/state/record.ts'

/** The name of a field that no release has had, in any part of a record. */
const OF_A_LATER_RELEASE = 'fieldOfALaterRelease'

const INSTANT = fc
  .bigInt({ min: -(10n ** 20n), max: 10n ** 20n })
  .map((nanoseconds) => Temporal.Instant.fromEpochNanoseconds(nanoseconds))
const NUMBER = fc.oneof(
  fc.integer(),
  fc.integer({ min: -10_000, max: 10_000 }).map((number) => number / 8 || 0),
)
const NAME = fc.stringMatching(/^[a-z]\w{0,9}$/)
const UNKNOWN = fc.constantFrom<unknown>('text', 7, true, ['a'], { since: '2026-11-23T12:00:00Z' })

/** Any record that is declared, with fields of a later release among its own. */
export const anyState = arbitraryOf(Declared) as fc.Arbitrary<AccountState>

function arbitraryOf({ kind, of, shape = {}, names = [] }: Field<unknown>): fc.Arbitrary<unknown> {
  switch (kind) {
    case 'part':
      return partOf(shape)
    case 'list':
      return fc.array(arbitraryOf(of as Field<unknown>), { maxLength: 3 })
    case 'byName':
      return fc.dictionary(NAME, arbitraryOf(of as Field<unknown>), { maxKeys: 3, noNullPrototype: true })
    case 'oneOf':
      return fc.constantFrom(...names)
    case 'instant':
      return INSTANT
    case 'number':
      return NUMBER
    case 'yesOrNo':
      return fc.boolean()
    case 'yes':
      return fc.constant(true)
    case 'text':
      return fc.string({ unit: 'grapheme' })
    case 'accountId':
      return fc.constantFrom('fyers', 'iifl/28748327')
  }
}

function partOf(shape: NonNullable<Field<unknown>['shape']>): fc.Arbitrary<unknown> {
  const fields = Object.entries(shape)
  const arbitraries: Record<string, fc.Arbitrary<unknown>> = Object.fromEntries(
    fields.map(([name, field]) => [name, arbitraryOf(field)]),
  )
  arbitraries[OF_A_LATER_RELEASE] = UNKNOWN
  const requiredKeys = fields.filter(([, { isOptional }]) => !isOptional).map(([name]) => name)
  return fc.record(arbitraries, { requiredKeys, noNullPrototype: true })
}
