/** A failure is the answer for whoever asks within this time: callers in a loop do not become calls in a loop. */
const FAILURE_HOLDS_MS = 5_000

interface Failure {
  readonly error: unknown
  readonly untilMs: number
}

/** Work of which there is at most one at a time: who comes meanwhile gets its result, and its failure for a moment. */
export class SingleFlights {
  readonly #nowMs: () => number
  readonly #running = new Map<string, Promise<unknown>>()
  readonly #failures = new Map<string, Failure>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Does `work` unless work of that name is under way or has just failed. Throws what it throws. */
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
    // Only a later turn may end it: it must be on the list before it is taken off.
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
