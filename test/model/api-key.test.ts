import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { apiKeyIdIn, isApiKey, newApiKey, objectionTo } from '../../lib/model/api-key.ts'

const NOW = Temporal.Instant.from('2026-11-23T12:00:00Z')
const WISH = { name: 'bot', scopes: ['status'], createdAt: NOW } as const

describe('a new key', () => {
  test('is tk_, a public id and 256 random bits, and no two are alike', () => {
    const texts = Array.from({ length: 200 }, () => newApiKey(WISH).text)
    expect(new Set(texts).size).toBe(200)
    for (const text of texts) {
      expect(text).toMatch(/^tk_[a-z2-7]{10}_[A-Za-z0-9_-]{43}$/)
      expect(Buffer.from(text.slice(14), 'base64url')).toHaveLength(32)
    }
  })

  test('is known by the id it names', () => {
    const { text, key } = newApiKey(WISH)
    expect(apiKeyIdIn(text)).toBe(key.id)
  })

  test('is on record without the key', () => {
    const { text, key } = newApiKey(WISH)
    expect(JSON.stringify(key)).not.toContain(text.slice(14))
    expect(key.hash).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })
})

test.each([
  '',
  'tk_',
  'tk_aaaaaaaaaa_short',
  `tk_AAAAAAAAAA_${'x'.repeat(43)}`,
  `tk_aaaaaaaaaa_${'x'.repeat(44)}`,
  `tk_aaaaaaaaaa_${'x'.repeat(42)}\n`,
  ` tk_aaaaaaaaaa_${'x'.repeat(43)}`,
])('%j cannot be a key', (text) => {
  expect(apiKeyIdIn(text)).toBeUndefined()
})

describe('a key that is presented', () => {
  test('is recognised by its record and by no other', () => {
    const [one, other] = [newApiKey(WISH), newApiKey(WISH)]
    expect(isApiKey(one.text, one.key)).toBe(true)
    expect(isApiKey(one.text, other.key)).toBe(false)
    expect(isApiKey(one.text, undefined)).toBe(false)
  })

  test('is not recognised with one character changed anywhere', () => {
    const { text, key } = newApiKey(WISH)
    for (let at = 0; at < text.length; at++) {
      const changed = `${text.slice(0, at)}${text[at] === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`
      expect(isApiKey(changed, key)).toBe(false)
    }
  })

  test('costs the same work where there is no record: no branch skips hash or comparison', () => {
    const { text, key } = newApiKey(WISH)
    const wrong = newApiKey(WISH).text
    const median = (work: () => void): number => {
      const times = Array.from({ length: 2_001 }, () => {
        const from = performance.now()
        work()
        return performance.now() - from
      })
      return times.toSorted((a, b) => a - b)[1_000] as number
    }
    // Warm, then measured in turns, so that neither profits from the other's caches.
    for (let round = 0; round < 3; round++) {
      median(() => isApiKey(wrong, key))
      median(() => isApiKey(text, undefined))
    }
    const known = median(() => isApiKey(wrong, key))
    const unknown = median(() => isApiKey(text, undefined))
    expect(unknown / known).toBeGreaterThan(0.5)
    expect(unknown / known).toBeLessThan(2)
  })
})

describe('a key on record', () => {
  test('may be used until its end, and not from that instant on', () => {
    const key = { expiresAt: NOW }
    expect(objectionTo(key, NOW.subtract({ nanoseconds: 1 }))).toBeUndefined()
    expect(objectionTo(key, NOW)).toBe('expired')
    expect(objectionTo({}, NOW)).toBeUndefined()
  })

  test('may not be used once it is revoked, whatever its end', () => {
    expect(objectionTo({ revokedAt: NOW, expiresAt: NOW.add({ hours: 1 }) }, NOW)).toBe('revoked')
  })
})
