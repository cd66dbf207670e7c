import { expect, test } from 'vitest'
import { parseConfig } from '../../lib/config.ts'

test.each([
  [{ files: [{ path: '.env', accounts: ['upstox/ACC1/x'] }] }, '"upstox/ACC1/x" is no account id'],
  [{ redis: { url: 'rediss://cache.invalid', defaultAccounts: ['ACC 1'] } }, '"ACC 1" is no account id'],
  [{ redis: { url: 'rediss://cache.invalid/SIM-pw' } }, 'mirrors.redis.url is no address of a Redis'],
  [{ redis: { url: 'redis://cache.invalid' } }, 'mirrors.redis.url must be rediss'],
])('a mistake in mirrors is told: %j', (mirrors, says) => {
  expect(() => parseConfig({ mirrors })).toThrow(says)
})

test('a Redis on loopback or on a listed host may be spoken to in the clear', () => {
  const redis = { url: 'redis://cache.example.invalid:6379/1' }
  expect(() => parseConfig({ mirrors: { redis: { url: 'redis://localhost' } } })).not.toThrow()
  expect(() => parseConfig({ mirrors: { redis }, allowHttpHosts: ['cache.example.invalid'] })).not.toThrow()
})
