import type { ErrorCode } from '../errors.ts'
import type { Outcome } from '../outcome.ts'
import { instant, openName, optional, part, text, type ValueOf } from './fields.ts'

/** How the last run ended. */
export const LastRun = part({
  at: instant,
  outcome: openName<Outcome>(),
  code: optional(openName<ErrorCode>()),
  reason: text,
  fix: optional(text),
  /** Only a login helps, from this instant on. */
  loginHelpsFrom: optional(instant),
})
export interface LastRun extends ValueOf<typeof LastRun> {}
