import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { readEvent } from '../../functions/runtime/refresh/event.ts'
import { iifl } from '../../lib/brokers/iifl/iifl.ts'

const NOW = Temporal.Instant.from('2026-11-23T03:00:00+05:30')

describe('an event', () => {
  test.each([[{}], [null], [undefined], [{ reason: 'schedule' }]])(
    '%o means every account, nothing forced',
    (event) => {
      expect(readEvent(iifl, event, NOW)).toMatchObject({
        accounts: undefined,
        forcedAt: undefined,
        continuation: 0,
      })
    },
  )

  test('may name accounts, each of which is done once', () => {
    const { accounts } = readEvent(iifl, { accounts: ['iifl/28748327', 'iifl', 'iifl/28748327'] }, NOW)
    expect(accounts).toEqual(['iifl/28748327', 'iifl'])
  })

  test('that forces is dated now, and a follow-up keeps the date of the first', () => {
    expect(readEvent(iifl, { force: true }, NOW).forcedAt).toEqual(NOW)
    const followUp = { accounts: ['iifl/28748327'], forcedAt: '2026-11-22T21:00:00Z', continuation: 2 }
    expect(readEvent(iifl, followUp, NOW)).toMatchObject({
      forcedAt: Temporal.Instant.from('2026-11-22T21:00:00Z'),
      continuation: 2,
    })
  })
})

describe('a report that the broker refused a token', () => {
  test.each([{ generation: 7 }, { version: 12 }])('%o is about the one account it names', (refused) => {
    expect(readEvent(iifl, { accounts: ['iifl'], refused }, NOW)).toMatchObject({ refused })
  })

  test.each([
    ['no account', { refused: { generation: 7 } }, 'one account'],
    ['two accounts', { accounts: ['iifl', 'iifl/28748327'], refused: { generation: 7 } }, 'one account'],
    ['two words for the token', { accounts: ['iifl'], refused: { generation: 7, version: 7 } }, 'understood'],
    ['no number', { accounts: ['iifl'], refused: { generation: 'CANARY' } }, 'understood'],
    ['the token itself', { accounts: ['iifl'], refused: { token: 'CANARY' } }, 'understood'],
  ])('with %s is refused', (_, event, words) => {
    expect(() => readEvent(iifl, event, NOW)).toThrow(words)
    expect(() => readEvent(iifl, event, NOW)).not.toThrow('CANARY')
  })
})

describe('an event nobody can understand is refused with what is allowed', () => {
  test.each([
    ['a list', []],
    ['a text', 'iifl'],
    ['an unknown field, such as a typo', { account: 'iifl' }],
    ['no accounts at all', { accounts: [] }],
    ['an account that is no id', { accounts: ['iifl/../fyers'] }],
    ['a force that is no truth value', { force: 'yes' }],
    ['a date without a zone', { forcedAt: '2026-11-22T21:00:00' }],
    ['an endless chain', { continuation: 101 }],
  ])('%s', (_, event) => {
    expect(() => readEvent(iifl, event, NOW)).toThrow(
      expect.objectContaining({
        code: 'configuration_invalid',
        fix: expect.stringContaining('iifl/28748327'),
      }),
    )
  })

  test('an account of another broker, with the function to invoke instead', () => {
    expect(() => readEvent(iifl, { accounts: ['iifl/28748327', 'iifl-xts'] }, NOW)).toThrow(
      expect.objectContaining({
        message: 'iifl-xts is no account of iifl',
        fix: 'invoke the function of iifl-xts; this one serves iifl only',
      }),
    )
  })
})
