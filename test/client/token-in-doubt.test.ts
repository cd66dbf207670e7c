import { Temporal } from 'temporal-polyfill'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type TokenkeeperClient, TokenUnavailableError } from '../../lib/client/index.ts'
import type { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { thrownBy } from '../support/thrown.ts'
import { keptClient, unavailableNow } from './support/kept-client.ts'
import type { KeptSource } from './support/kept-source.ts'

let clock: VirtualClock
let source: KeptSource
let client: TokenkeeperClient

beforeEach(() => {
  ;({ clock, source, client } = keptClient())
})
afterEach(() => client.close())

const failure = (work: Promise<unknown>) => thrownBy(work, TokenUnavailableError)

describe('I9 a token in doubt', () => {
  const since = Temporal.Instant.from('2026-11-23T07:59:00+05:30')
  const ways = [
    ['getToken', () => client.getToken()],
    ['ensureValidToken', () => client.ensureValidToken()],
    ['fetch', () => client.fetch('/v2/user/profile', { retries: 0 })],
  ] as const
  const doubted = (): void => {
    source.published = { ...source.token('2026-11-24T03:30:00+05:30'), unprovenSince: since, live: false }
  }
  const renewalFails = (code: string): void =>
    void source.failures.push({ at: 'renew', error: unavailableNow(code) })

  test.each(ways)('%s does not give when the proof failed, the second time neither', async (_, ask) => {
    doubted()
    for (let time = 0; time < 2; time++) {
      renewalFails('awaiting_login')
      expect((await failure(ask())).code).toBe('awaiting_login')
      clock.advance({ seconds: 2 })
      expect((await failure(ask())).code).toBe('awaiting_login')
      clock.advance({ seconds: 4 })
    }
    expect(source.failures).toEqual([])
  })

  test('is given with the doubt on it where nobody could have it proven', async () => {
    doubted()
    for (const code of ['cannot_renew', 'insufficient_scope', 'unreachable', 'busy', 'rate_limited']) {
      for (const [, ask] of ways.slice(0, 2)) {
        renewalFails(code)
        expect(await ask()).toMatchObject({ unprovenSince: since })
        clock.advance({ seconds: 6 })
      }
      expect(source.failures).toEqual([])
    }
  })

  test('then costs a call every five seconds', async () => {
    doubted()
    renewalFails('unreachable')
    for (let call = 0; call < 10; call++) await client.getToken()
    expect(source.asked).toMatchObject({ read: 1, renew: 1 })
  })

  test.each(ways)('%s has a refused one renewed, and does not give it where that fails', async (_, ask) => {
    source.published = { ...source.token('2026-11-24T03:30:00+05:30'), live: false }
    renewalFails('insufficient_scope')
    expect((await failure(ask())).code).toBe('insufficient_scope')
    clock.advance({ seconds: 6 })
    // A keeper that says it looked, and changed nothing.
    expect(await failure(ask())).toMatchObject({
      code: 'expired',
      message: expect.stringContaining('the broker has refused it'),
    })
  })
})
