import * as z from 'zod/mini'
import { instant, optional, part, type Stored } from './fields.ts'

export const Incident = part({
  id: z.string(),
  kind: z.enum(['login_needed', 'human_action', 'operator_action', 'token_lost']),
  openedAt: instant,
  /** Absent while the alert could not be delivered: the next run tries again. */
  toldAt: optional(instant),
  /** When a person was last told or reminded. */
  remindedAt: optional(instant),
  /** Set while the message that it is over could not be delivered. */
  overAt: optional(instant),
})
/** What somebody is needed for, and who was told. */
export interface Incident extends Stored<typeof Incident> {}
