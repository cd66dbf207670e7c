import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createClient, type TokenkeeperClient } from '../../lib/client/index.ts'
import type { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { keptClient } from './support/kept-client.ts'
import type { KeptSource } from './support/kept-source.ts'

let clock: VirtualClock
let source: KeptSource
let client: TokenkeeperClient

beforeEach(() => {
  ;({ clock, source, client } = keptClient())
})
afterEach(() => client.close())

describe('whoever wants to know of a new token', () => {
  test('is told when another one is seen, and not of the first', async () => {
    const seen: (number | undefined)[] = []
    const end = client.onNewToken(({ generation }) => void seen.push(generation))
    await client.getToken()
    source.publish('2026-11-25T03:30:00+05:30')
    await client.lookForNewToken()
    await client.lookForNewToken()
    expect(seen).toEqual([2])
    end()
    source.publish('2026-11-26T03:30:00+05:30')
    await client.lookForNewToken()
    expect(seen).toEqual([2])
  })

  test('and fails, disturbs neither the others nor the caller', async () => {
    const warnings: Error[] = []
    const note = (warning: Error): void => void warnings.push(warning)
    process.on('warning', note)
    const seen: number[] = []
    client.onNewToken(() => {
      throw new RangeError('CANARY-of-a-listener')
    })
    client.onNewToken(async () => Promise.reject(new TypeError('CANARY-of-a-listener')))
    client.onNewToken(() => void seen.push(1))
    await client.getToken()
    source.publish('2026-11-25T03:30:00+05:30')
    await client.lookForNewToken()
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', note)
    expect(seen).toEqual([1])
    expect(warnings.map(({ message }) => message)).toEqual([
      'a listener for new tokens of upstox/ACC1 failed: RangeError',
      'a listener for new tokens of upstox/ACC1 failed: TypeError',
    ])
  })

  test('is told within the watch’s time although nobody calls, and a source that fails once ends nothing', async () => {
    vi.useFakeTimers()
    const minute = async (): Promise<void> => {
      clock.advance({ minutes: 1 })
      await vi.advanceTimersByTimeAsync(60_000)
    }
    try {
      const watching = createClient({ source, clock, watchSeconds: 60 })
      await watching.getToken()
      const told: (number | undefined)[] = []
      watching.onNewToken(({ generation }) => void told.push(generation))
      source.failures.push({ at: 'read', error: new Error('away') })
      source.publish('2026-11-25T03:30:00+05:30')
      await minute()
      expect(told).toEqual([])
      await minute()
      expect(told).toEqual([2])
      const asked = source.asked.read
      await watching.close()
      await minute()
      expect(source.asked.read).toBe(asked)
    } finally {
      vi.useRealTimers()
    }
  })

  test('is not told of a look that was overtaken by a newer one', async () => {
    await client.getToken()
    const seen: (number | undefined)[] = []
    client.onNewToken(({ generation }) => void seen.push(generation))
    const old = source.published
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    const slow = source.read.bind(source)
    source.read = async () => {
      source.read = slow
      await gate
      return old as NonNullable<typeof old>
    }
    const overtaken = client.lookForNewToken()
    source.next = () => source.token('2026-11-25T03:30:00+05:30')
    await client.refreshToken()
    open()
    expect((await overtaken).generation).toBe(2)
    expect(seen).toEqual([2])
  })
})
