import { expect, test } from 'vitest'
import { AccountState } from '../../../lib/model/state/record.ts'
import { COMPLETE } from '../../support/complete-record.ts'
import { declared, filled } from './support/walk.ts'

test('the complete record of the tests has every field that is declared, in every part', () => {
  const fields = new Set(declared(AccountState))
  expect(fields.size).toBeGreaterThan(80)
  const present = new Set(filled(AccountState, COMPLETE))
  expect([...fields].filter((field) => !present.has(field))).toEqual([])
})
