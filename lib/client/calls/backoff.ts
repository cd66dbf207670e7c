/** Before the first repeat; each further pause doubles (lib/brokers/upstox/README.md, Mirror). */
const FIRST_PAUSE_MS = 1_000
const GROWTH = 2
/** So that many programs do not come back in step. */
const JITTER = 0.2
/** A longer wait is the caller's decision: nobody wants a call that sleeps for minutes. */
export const LONGEST_PAUSE_MS = 30_000

/**
 * Milliseconds to wait before repeat number `repeat` (1 is the first), with up to a fifth more or less; at least
 * what the other side asked for. `undefined` where it asks for more than {@link LONGEST_PAUSE_MS}: not worth waiting.
 */
export function pauseMs(repeat: number, hintMs: number, random: () => number): number | undefined {
  if (hintMs > LONGEST_PAUSE_MS) return undefined
  const grown = FIRST_PAUSE_MS * GROWTH ** (repeat - 1) * (1 + JITTER * (2 * random() - 1))
  return Math.min(LONGEST_PAUSE_MS, Math.max(hintMs, grown))
}
