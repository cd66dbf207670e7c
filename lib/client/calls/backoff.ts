/** The pause before the first repeat; each further one doubles (lib/brokers/upstox/README.md, Mirror). */
const FIRST_PAUSE_MS = 1_000
const GROWTH = 2
/** The share by which a pause varies, so that many programs do not repeat at the same time. */
const JITTER = 0.2
/** A longer wait is left to the caller: a call must not sleep for minutes. */
export const LONGEST_PAUSE_MS = 30_000

/**
 * Milliseconds to wait before repeat number `repeat` (1 is the first), varied by up to a fifth, and at least
 * what the other side asked for. `undefined` where it asks for more than {@link LONGEST_PAUSE_MS}: then no
 * repeat is made.
 */
export function pauseMs(repeat: number, hintMs: number, random: () => number): number | undefined {
  if (hintMs > LONGEST_PAUSE_MS) return undefined
  const grown = FIRST_PAUSE_MS * GROWTH ** (repeat - 1) * (1 + JITTER * (2 * random() - 1))
  return Math.min(LONGEST_PAUSE_MS, Math.max(hintMs, grown))
}
