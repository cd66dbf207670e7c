import type { Clock } from '../../ports/clock.ts'

/** Calls a user may make to one API: in a second, a minute, half an hour (lib/brokers/upstox/README.md, Limits). */
const LIMITS = [
  { milliseconds: 1_000, calls: 50 },
  { milliseconds: 60_000, calls: 500 },
  { milliseconds: 1_800_000, calls: 2_000 },
] as const
const LONGEST_WINDOW_MS = 1_800_000

/** Counts calls per user and API as Upstox does. */
export class UpstoxLimits {
  readonly #clock: Clock
  readonly #calls = new Map<string, readonly number[]>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Counts one call and says whether it is one too many. */
  overrun(userId: string, path: string): boolean {
    const key = `${userId} ${path}`
    const now = this.#clock.now().epochMilliseconds
    const since = (milliseconds: number) => (at: number) => at > now - milliseconds
    const calls = [...(this.#calls.get(key) ?? []).filter(since(LONGEST_WINDOW_MS)), now]
    this.#calls.set(key, calls)
    return LIMITS.some((limit) => calls.filter(since(limit.milliseconds)).length > limit.calls)
  }
}
