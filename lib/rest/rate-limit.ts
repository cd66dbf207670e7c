import type { Clock } from '../ports/clock.ts'
import { RestProblem } from './problem.ts'

export interface Limit {
  readonly count: number
  readonly perSeconds: number
}

/** Counts work for each subject in a sliding window, in the memory of this process. */
export interface RateLimit {
  /** Counts one more. Throws RestProblem, with the seconds to wait, where there were enough. */
  take(subject: string): void
}

/**
 * A limit for a few known subjects: keys and accounts. It keeps programs from calling a broker too often.
 * What keeps an account from being locked is the recorded login budget, which all processes share.
 */
export function rateLimit({ count, perSeconds }: Limit, clock: Clock): RateLimit {
  const taken = new Map<string, readonly number[]>()
  return {
    take(subject) {
      const now = clock.now().epochMilliseconds
      const recent = (taken.get(subject) ?? []).filter((at) => at > now - perSeconds * 1000 && at <= now)
      const oldest = recent[0]
      if (recent.length >= count && oldest !== undefined) {
        taken.set(subject, recent)
        throw new RestProblem('too_many_requests', `at most ${count} in ${perSeconds} s`, {
          retryAfterSeconds: Math.ceil((oldest + perSeconds * 1000 - now) / 1000),
          fix: 'wait as long as Retry-After says; let programs share one answer',
        })
      }
      taken.set(subject, [...recent, now])
    },
  }
}
