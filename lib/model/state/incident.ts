import { instant, oneOf, optional, part, text, type ValueOf } from './fields.ts'

export const Incident = part({
  id: text,
  kind: oneOf('login_needed', 'human_action', 'operator_action', 'token_lost'),
  openedAt: instant,
  /** Absent while the alert could not be delivered: the next run tries again. */
  toldAt: optional(instant),
  /** When a person was last told or reminded. */
  remindedAt: optional(instant),
  /** When the incident was over; set while the message about that could not be delivered. */
  overAt: optional(instant),
})
/** What a person is needed for, and when they were told. */
export interface Incident extends ValueOf<typeof Incident> {}
