import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LONGEST_PAUSE_MS, pauseMs } from '../../lib/client/calls/backoff.ts'
import { retryAfterMs } from '../../lib/http/retry-after.ts'

describe('the pause before a repeat', () => {
  test('R2.7 doubles from one second, with up to a fifth more or less', () => {
    expect([1, 2, 3].map((repeat) => pauseMs(repeat, 0, () => 0.5))).toEqual([1_000, 2_000, 4_000])
    expect([1, 2, 3].map((repeat) => pauseMs(repeat, 0, () => 0))).toEqual([800, 1_600, 3_200])
    expect([1, 2, 3].map((repeat) => pauseMs(repeat, 0, () => 1))).toEqual([1_200, 2_400, 4_800])
  })

  test('is never shorter than what the other side asked for, and never longer than anybody waits', () => {
    const repeats = fc.integer({ min: 1, max: 10_000 })
    const hints = fc.oneof(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: 0 }))
    const chances = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(repeats, hints, chances, (repeat, hintMs, chance) => {
        const pause = pauseMs(repeat, hintMs, () => chance)
        if (hintMs > LONGEST_PAUSE_MS) return pause === undefined
        if (pause === undefined) return false
        const isSpread = repeat > 1 || hintMs > 0 || (pause >= 800 && pause <= 1_200)
        return isSpread && pause >= hintMs && pause >= 800 && pause <= LONGEST_PAUSE_MS
      }),
    )
  })

  test('grows with each repeat, whatever the jitter', () => {
    const chances = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), chances, chances, (repeat, one, other) => {
        const [before, after] = [pauseMs(repeat, 0, () => one), pauseMs(repeat + 1, 0, () => other)]
        return (before ?? 0) < (after ?? 0)
      }),
    )
  })
})

describe('Retry-After', () => {
  const now = Date.parse('2026-11-23T07:00:00Z')

  test.each([
    ['2', 2_000],
    ['0', 0],
    [' 1.5 ', 1_500],
    ['Mon, 23 Nov 2026 07:00:10 GMT', 10_000],
    ['Mon, 23 Nov 2026 06:59:00 GMT', 0],
    ['soon', undefined],
    ['-3 s', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('"%s" is %s ms', (header, expected) => expect(retryAfterMs(header, now)).toBe(expected))
})
