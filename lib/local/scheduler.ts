import { Temporal } from 'temporal-polyfill'
import type { Schedule } from '../markets/schedule.ts'
import type { Clock } from '../ports/clock.ts'

/** Milliseconds. A clock that goes back by less was only adjusted, and makes a run no later than that. */
const SET_BACK_MS = 60_000

export interface Job {
  readonly name: string
  readonly schedules: readonly Schedule[]
  /** Must not throw. */
  run(): Promise<void>
}

/**
 * Starts jobs by their schedules. It compares clocks at each tick and uses no long timers: after a laptop
 * slept past a run, or its clock was set forwards or back, the run starts at the next tick, once however many
 * were missed. A job never overlaps itself.
 */
export class Scheduler {
  readonly #clock: Clock
  #latestMs: number
  readonly #jobs: readonly {
    readonly job: Job
    nextMs: number | undefined
    running?: Promise<void> | undefined
  }[]

  constructor(jobs: readonly Job[], clock: Clock) {
    this.#clock = clock
    this.#latestMs = clock.now().epochMilliseconds
    this.#jobs = jobs.map((job) => ({ job, nextMs: nextOf(job, this.#latestMs) }))
  }

  /** Starts the jobs that are due; waits for none. */
  tick(): void {
    const now = this.#clock.now().epochMilliseconds
    this.#notice(now)
    for (const entry of this.#jobs) {
      if (entry.nextMs === undefined || entry.nextMs > now || entry.running) continue
      entry.running = entry.job.run().finally(() => {
        entry.running = undefined
      })
      // A rate counts from when the run was due, unless the next run has been missed too.
      const following = nextOf(entry.job, entry.nextMs)
      entry.nextMs = following !== undefined && following <= now ? nextOf(entry.job, now) : following
    }
  }

  /**
   * Times worked out by a clock that was ahead may be a year away, so everything is due once the clock was
   * set right.
   */
  #notice(now: number): void {
    if (now < this.#latestMs - SET_BACK_MS) for (const entry of this.#jobs) entry.nextMs = now
    if (now < this.#latestMs - SET_BACK_MS || now > this.#latestMs) this.#latestMs = now
  }

  /** When a job runs next; `undefined` where its schedules have ended. */
  nextOf(name: string): Temporal.Instant | undefined {
    const nextMs = this.#jobs.find(({ job }) => job.name === name)?.nextMs
    return nextMs === undefined ? undefined : Temporal.Instant.fromEpochMilliseconds(nextMs)
  }

  /** The job that runs next, and when; `undefined` where all schedules have ended. */
  next(): { readonly name: string; readonly at: Temporal.Instant } | undefined {
    const [first] = this.#jobs
      .flatMap(({ job, nextMs }) => (nextMs === undefined ? [] : [{ name: job.name, nextMs }]))
      .toSorted((a, b) => a.nextMs - b.nextMs)
    return first && { name: first.name, at: Temporal.Instant.fromEpochMilliseconds(first.nextMs) }
  }

  /** Resolves when no job is running. */
  async idle(): Promise<void> {
    await Promise.all(this.#jobs.map(({ running }) => running))
  }
}

function nextOf({ schedules }: Job, afterMs: number): number | undefined {
  const nexts = schedules.flatMap((schedule) => schedule.next(afterMs) ?? [])
  return nexts.length === 0 ? undefined : Math.min(...nexts)
}
