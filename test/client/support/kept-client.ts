import { createClient, type TokenkeeperClient, TokenUnavailableError } from '../../../lib/client/index.ts'
import { VirtualClock } from '../../../lib/simulators/kit/virtual-clock.ts'
import { KeptSource } from './kept-source.ts'

/** A client of a keeper in memory, on 23 November 2026 at 08:00 IST; the token lives until 03:30 the next day. */
export function keptClient(): {
  readonly clock: VirtualClock
  readonly source: KeptSource
  readonly client: TokenkeeperClient
} {
  const clock = new VirtualClock('2026-11-23T08:00:00+05:30')
  const source = new KeptSource('upstox/ACC1')
  source.publish('2026-11-24T03:30:00+05:30')
  return { clock, source, client: createClient({ source, clock, random: () => 0.5 }) }
}

/** What a keeper says that has no token to give now. */
export function unavailableNow(code: string, retryAfterSeconds?: number): TokenUnavailableError {
  const account = new KeptSource('upstox/ACC1').account
  return new TokenUnavailableError('not now', { account, code, fix: 'wait', retryAfterSeconds })
}
