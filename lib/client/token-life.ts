import { DEAD_EARLY_SECONDS } from '../tokens/rules/token/due.ts'
import type { ClientToken } from './sources/token-source.ts'

const DEAD_EARLY_MS = DEAD_EARLY_SECONDS * 1_000
/**
 * A newer token is looked for in the last tenth of the life; at least for one minute, and at most for five.
 */
const DUE_SHARE_OF_LIFE = 0.1
const LONGEST_DUE_MS = 300_000
/**
 * Milliseconds for which a read is believed when a newer token is due, and where the token's life is not
 * known.
 */
export const LOOK_HOLDS_MS = 5_000
const UNKNOWN_HOLDS_MS = 60_000

/**
 * The time, in epoch milliseconds, until which a token read at `nowMs` is used without another look at the
 * source.
 */
export function warmUntilMs(token: ClientToken, nowMs: number): number {
  if (token.unprovenSince || token.live === false) return nowMs
  if (!token.expiresAt) return nowMs + UNKNOWN_HOLDS_MS
  const endsMs = token.expiresAt.epochMilliseconds
  const share = Math.min(LONGEST_DUE_MS, (endsMs - nowMs) * DUE_SHARE_OF_LIFE)
  const dueMs = endsMs - Math.max(DEAD_EARLY_MS, share)
  return dueMs > nowMs ? dueMs : Math.min(nowMs + LOOK_HOLDS_MS, deadAtMs(token))
}

/**
 * The time, in epoch milliseconds, from which the token counts as dead: before its end, since a call takes
 * time.
 */
export function deadAtMs({ expiresAt }: ClientToken): number {
  return expiresAt ? expiresAt.epochMilliseconds - DEAD_EARLY_MS : Number.POSITIVE_INFINITY
}

/**
 * Milliseconds that the token certainly has left: 0 where it counts as dead; `undefined` where its life is
 * not known.
 */
export function leftMs({ expiresAt }: ClientToken, nowMs: number): number | undefined {
  if (!expiresAt) return undefined
  const left = expiresAt.epochMilliseconds - nowMs
  return left > DEAD_EARLY_MS ? left : 0
}
