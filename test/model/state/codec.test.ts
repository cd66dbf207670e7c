import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeAccountState, encodeAccountState } from '../../../lib/model/account-state.ts'
import type { StateStoreError } from '../../../lib/model/errors.ts'
import { COMPLETE } from '../../support/complete-record.ts'
import { shown } from '../../support/shown.ts'
import { anyState } from './support/arbitrary.ts'

type Fields = Readonly<Record<string, unknown>>

const PLACE = { name: 'fyers', fix: 'put it right' }
const ENCODED = encodeAccountState(COMPLETE)

const asJson = (fields: Fields): Fields => JSON.parse(JSON.stringify(fields)) as Fields
const asItem = (fields: Fields): Fields => unmarshall(marshall(fields))

/** What is said of a record that cannot be read. */
function refusal(fields: Fields): StateStoreError {
  try {
    decodeAccountState(fields, PLACE)
  } catch (error) {
    return error as StateStoreError
  }
  throw new Error('the record was read')
}

describe('a record', () => {
  test.each([
    ['JSON', asJson],
    ['an item of DynamoDB', asItem],
  ])('of any fields comes back from %s as it was, those of a later release among them', (_, stored) => {
    fc.assert(
      fc.property(anyState, (state) => {
        const encoded = encodeAccountState(state)
        const decoded = decodeAccountState(stored(encoded), PLACE)
        expect(shown(decoded)).toEqual(shown(state))
        expect(encodeAccountState(decoded)).toEqual(encoded)
      }),
      { numRuns: 200 },
    )
  })

  test('says which format it is in, and which version reads that; in memory it says neither', () => {
    expect(ENCODED).toMatchObject({ format: 2, formatSince: '0.2.0' })
    expect(Object.keys(decodeAccountState(ENCODED, PLACE)).toSorted()).toEqual(
      Object.keys(COMPLETE).toSorted(),
    )
  })

  test('has instants where they are declared and nowhere else: an option called "until" stays text', () => {
    const { settings } = decodeAccountState(ENCODED, PLACE)
    expect(settings.options?.['until']).toBe('not an instant')
    const options = { until: '2026-11-23T12:00:00Z' }
    const other = decodeAccountState({ ...ENCODED, settings: { options } }, PLACE)
    expect(other.settings.options).toEqual(options)
  })

  test('keeps an error code, an outcome and a grant of a later release', () => {
    const later = {
      ...ENCODED,
      last: { ...COMPLETE.last, code: 'code_of_later', outcome: 'outcome_of_later' },
      blocks: { grant_of_later: COMPLETE.blocks.credentials },
    }
    const decoded = decodeAccountState(asJson(later), PLACE)
    expect(encodeAccountState(decoded)).toEqual(asJson(later))
    expect(shown(decoded.blocks)).toEqual(shown(later.blocks))
  })
})

describe('a record of another format', () => {
  test('of a later one is refused with the version that reads it', () => {
    expect(refusal({ ...ENCODED, format: 3, formatSince: '0.7.1' })).toMatchObject({
      name: 'StateStoreError',
      message: expect.stringMatching(
        /the state record fyers cannot be read: .* this version \(\d+\.\d+\.\d+\)/,
      ),
      fix: expect.stringContaining('use Tokenkeeper 0.7.1 or later'),
    })
  })

  test.each([
    ['a later format that names no version', { format: 3, formatSince: undefined }],
    ['one that names what is no version', { format: 3, formatSince: 'CANARY-7f3a' }],
    ['a format that is no number', { format: 'CANARY-7f3a' }],
    ['a format of no release', { format: 0 }],
    ['half a format', { format: 1.5 }],
  ])('%s is refused without repeating what is there', (_, fields) => {
    const { message, fix } = refusal({ ...ENCODED, ...fields })
    expect(fix).toContain('use Tokenkeeper')
    expect(message + fix).not.toContain('CANARY')
  })

  test('without one is of 0.1', () => {
    const { format: _, formatSince: __, ...fields } = ENCODED
    expect(shown(decodeAccountState(fields, PLACE))).toEqual(shown(COMPLETE))
  })
})

describe('a record that does not fit', () => {
  test.each<[string, Fields, string]>([
    [
      'an instant that is none',
      { doubt: { ...COMPLETE.doubt, since: 'yesterday' } },
      'doubt.since is no instant',
    ],
    ['an instant that is a number', { notBefore: 1_795_392_000 }, 'notBefore is no instant'],
    ['a number that is text', { generation: '41' }, 'generation is no number'],
    [
      'a choice that is neither',
      { ambiguous: { ...COMPLETE.ambiguous, probed: 'no' } },
      'ambiguous.probed is neither true nor false',
    ],
    [
      'a mark that is another',
      { logins: [{ ...COMPLETE.logins[0], result: { ...COMPLETE.logins[0]?.result, kept: false } }] },
      'logins.0.result.kept is not true',
    ],
    ['a list that is none', { attempts: 'none' }, 'attempts is no list'],
    [
      'an item of a list',
      { logins: [{ ...COMPLETE.logins[0], usedAt: '' }] },
      'logins.0.usedAt is no instant',
    ],
    [
      'a part that is none',
      { blocks: { credentials: 'blocked' } },
      'blocks.credentials is no group of fields',
    ],
    ['another account id', { account: '../fyers' }, 'account is no account id'],
    [
      'a source nobody knows',
      { pending: { ...COMPLETE.pending, source: 'CANARY' } },
      'pending.source is none of refresh_token, credentials, upstream, login, approval',
    ],
    [
      'what is missing',
      { revision: undefined, last: { reason: 'r' } },
      'revision is missing, last.at is missing, last.outcome is missing',
    ],
    [
      'more than anybody reads',
      { account: 1, revision: 'a', settings: 1, generation: 'b' },
      'account is no account id, revision is no number, settings is no group of fields, and 1 more',
    ],
  ])('%s is told by its field, and with what mends it', (_, fields, said) => {
    const { message, fix } = refusal(asJson({ ...ENCODED, ...fields }))
    expect(message).toBe(`the state record fyers cannot be read: ${said}`)
    expect(fix).toBe('put it right')
  })

  test.each(Object.keys(ENCODED).filter((field) => !['userId', 'clientName', 'formatSince'].includes(field)))(
    'says nothing of what is in %s',
    (field) => {
      const { message, fix, cause } = refusal({ ...ENCODED, [field]: 'CANARY-7f3a' })
      expect(message + fix).not.toContain('CANARY')
      expect(cause).toBeUndefined()
    },
  )
})
