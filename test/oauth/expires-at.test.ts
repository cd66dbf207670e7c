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
  ])('%s is understood', (_title, value) => {
    const instant = parseExpiresAt(value, 'Asia/Kolkata')
    expect(instant?.toString({ smallestUnit: 'second' })).toBe(INSTANT)
  })

  test.each([undefined, null, '', 'soon', 'never', {}, true, 0, -1, 3600, Number.NaN, 1e300, '9'.repeat(40)])(
    '%s is no time',
    (value) => expect(parseExpiresAt(value, 'Asia/Kolkata')).toBeUndefined(),
  )
})
