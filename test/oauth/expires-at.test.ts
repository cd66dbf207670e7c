import { describe, expect, test } from 'vitest'
import { parseExpiresAt } from '../../lib/oauth/expires-at.ts'

const INSTANT = '2026-09-14T22:00:00Z'

describe('an expires_at of unknown make', () => {
  test.each([
    ['ISO 8601 with an offset', '2026-09-15T03:30:00+05:30'],
    ['ISO 8601 in UTC', '2026-09-14T22:00:00Z'],
    ['ISO 8601 without an offset is the wall clock of the zone', '2026-09-15T03:30:00'],
    ['the same with a space', '2026-09-15 03:30:00'],
    ['epoch seconds', 1789423200],
    ['epoch seconds with a fraction', 1789423200.25],
    ['epoch milliseconds', 1789423200000],
    ['epoch seconds as text', '1789423200'],
    ['epoch milliseconds as text', ' 1789423200000 '],
    ['epoch microseconds', 1789423200000000],
    ['a blank before the offset', '2026-09-15 03:30:00 +05:30'],
    ['an offset without a colon', '2026-09-15T03:30:00+0530'],
    ['an offset of hours', '2026-09-14T22:00:00+00'],
    ['UTC in letters', '2026-09-14 22:00:00 UTC'],
    ['GMT in letters', '2026-09-14T22:00:00GMT'],
    ['the name of a zone in brackets', '2026-09-15T03:30:00[Asia/Kolkata]'],
    ['an offset, whatever name stands beside it', '2026-09-15T03:30:00+05:30[Europe/London]'],
    ['the name of a zone after a blank', '2026-09-15 03:30:00 Asia/Kolkata'],
    ['more digits than anybody needs', '2026-09-14T22:00:00.123456789012Z'],
    ['a comma before the fraction', '2026-09-14T22:00:00,5Z'],
    ['without seconds', '2026-09-14T22:00Z'],
    ['an HTTP date', 'Mon, 14 Sep 2026 22:00:00 GMT'],
    ['a mail date', 'Tue, 15 Sep 2026 03:30:00 +0530'],
    [
      'a date object of PHP',
      { date: '2026-09-15 03:30:00.000000', timezone_type: 3, timezone: 'Asia/Kolkata' },
    ],
    [
      'one with an offset for a zone',
      { date: '2026-09-15 03:30:00.000000', timezone_type: 1, timezone: '+05:30' },
    ],
    ['a date object of Mongo', { $date: '2026-09-14T22:00:00Z' }],
  ])('%s is understood', (_title, value) => {
    const instant = parseExpiresAt(value, 'Asia/Kolkata')
    expect(instant?.toString({ smallestUnit: 'second' })).toBe(INSTANT)
  })

  test.each([
    undefined,
    null,
    '',
    'soon',
    'never',
    {},
    true,
    0,
    -1,
    3600,
    Number.NaN,
    1e300,
    '9'.repeat(40),
    false,
    [],
    '2026-13-01T00:00:00Z',
    '2026-09-14T22:00:00 Nowhere/Land',
  ])('%s is no time', (value) => expect(parseExpiresAt(value, 'Asia/Kolkata')).toBeUndefined())
})
