import { DEAD_EARLY_SECONDS } from '../tokens/rules/token/due.ts'
import type { ClientToken } from './sources/token-source.ts'

const DEAD_EARLY_MS = DEAD_EARLY_SECONDS * 1_000
/** A newer token is looked for from a tenth of the life before the end on, at least one minute and at most five. */
const DUE_SHARE_OF_LIFE = 0.1
const LONGEST_DUE_MS = 300_000
/** How long what was read is believed when a newer token is due, or nobody knows how long this one lives. */
export const LOOK_HOLDS_MS = 5_000
const UNKNOWN_HOLDS_MS = 60_000

/** Until when a token that was read at `nowMs` is handed out without another look at the source. */
export function warmUntilMs(token: ClientToken, nowMs: number): number {
  if (token.unprovenSince || token.live === false) return nowMs
  if (!token.expiresAt) return nowMs + UNKNOWN_HOLDS_MS
  const endsMs = token.expiresAt.epochMilliseconds
  const share = Math.min(LONGEST_DUE_MS, (endsMs - nowMs) * DUE_SHARE_OF_LIFE)
  const dueMs = endsMs - Math.max(DEAD_EARLY_MS, share)
  return dueMs > nowMs ? dueMs : Math.min(nowMs + LOOK_HOLDS_MS, deadAtMs(token))
}

/** From when on it counts as dead: before its end, since a call takes its time. */
export function deadAtMs({ expiresAt }: ClientToken): number {
  return expiresAt ? expiresAt.epochMilliseconds - DEAD_EARLY_MS : Number.POSITIVE_INFINITY
}

/** Milliseconds the token surely has left: 0 when it counts as dead; `undefined` when nobody can tell. */
export function leftMs({ expiresAt }: ClientToken, nowMs: number): number | undefined {
  if (!expiresAt) return undefined
  const left = expiresAt.epochMilliseconds - nowMs
  return left > DEAD_EARLY_MS ? left : 0
}
