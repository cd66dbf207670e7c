import type { Clock } from '../../ports/clock.ts'

const OVERRUNS_BEFORE_DAY_BLOCK = 3

/** FYERS' cap a minute; four times over it blocks the rest of the day (lib/brokers/fyers/README.md, Limits). */
export class MinuteLimit {
  readonly #clock: Clock
  readonly #timeZone: string
  #minute = { start: 0, calls: 0 }
  #overruns = { day: '', count: 0 }

  constructor(clock: Clock, timeZone: string) {
    this.#clock = clock
    this.#timeZone = timeZone
  }

  /** Counts one call and says whether it is one too many. */
  exceeded(callsPerMinute: number): boolean {
    const now = this.#clock.now()
    const start = Math.floor(now.epochMilliseconds / 60_000)
    const day = now.toZonedDateTimeISO(this.#timeZone).toPlainDate().toString()
    if (this.#minute.start !== start) this.#minute = { start, calls: 0 }
    if (this.#overruns.day !== day) this.#overruns = { day, count: 0 }
    this.#minute.calls += 1
    if (this.#minute.calls === callsPerMinute + 1) this.#overruns.count += 1
    return this.#overruns.count > OVERRUNS_BEFORE_DAY_BLOCK || this.#minute.calls > callsPerMinute
  }
}
