/**
 * Milliseconds for which a failure is the answer to further callers, so that a caller in a loop makes no
 * calls in a loop.
 */
const FAILURE_HOLDS_MS = 5_000

interface Failure {
  readonly error: unknown
  readonly untilMs: number
}

/**
 * Work that is done at most once at a time: callers that come meanwhile get its result, or for a moment its
 * failure.
 */
export class SingleFlights {
  readonly #nowMs: () => number
  readonly #running = new Map<string, Promise<unknown>>()
  readonly #failures = new Map<string, Failure>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Does `work`, unless work of this name is under way or has just failed. Throws what the work throws. */
  run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(name)
    if (running) return running as Promise<T>
    const failure = this.#failures.get(name)
    if (failure && this.#nowMs() < failure.untilMs) return Promise.reject(failure.error)
    const begun = this.#tracked(name, work)
    this.#running.set(name, begun)
    return begun
  }

  async #tracked<T>(name: string, work: () => Promise<T>): Promise<T> {
    // Waits for a later turn, so that the work is entered in `#running` before it is removed there.
    await Promise.resolve()
    try {
      const result = await work()
      this.#failures.delete(name)
      return result
    } catch (error) {
      this.#failures.set(name, { error, untilMs: this.#nowMs() + FAILURE_HOLDS_MS })
      throw error
    } finally {
      this.#running.delete(name)
    }
  }
}
