import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { NewTokenListeners } from '../../lib/client/new-token-listeners.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('there is one watch, however listeners come and go while it looks', async () => {
  const { promise: looking, resolve: looked } = Promise.withResolvers<void>()
  const listeners = new NewTokenListeners({ watchSeconds: 60, look: () => looking })
  const end = listeners.add(() => undefined)
  listeners.add(() => undefined)()
  expect(vi.getTimerCount()).toBe(1)
  await vi.advanceTimersByTimeAsync(60_000)
  end()
  listeners.add(() => undefined)
  looked()
  await vi.advanceTimersByTimeAsync(0)
  expect(vi.getTimerCount()).toBe(1)
  listeners.clear()
  expect(vi.getTimerCount()).toBe(0)
})

test('nothing is watched unless that was asked for', () => {
  const listeners = new NewTokenListeners({ look: async () => undefined })
  listeners.add(() => undefined)
  expect(vi.getTimerCount()).toBe(0)
})
