import { instant, oneOf, optional, part, text, type ValueOf } from './fields.ts'

export const Incident = part({
  id: text,
  kind: oneOf('login_needed', 'human_action', 'operator_action', 'token_lost'),
  openedAt: instant,
  /** Absent while the alert could not be delivered: the next run tries again. */
  toldAt: optional(instant),
  /** When a person was last told or reminded. */
  remindedAt: optional(instant),
  /** Set while the message that it is over could not be delivered. */
  overAt: optional(instant),
})
/** What somebody is needed for, and who was told. */
export interface Incident extends ValueOf<typeof Incident> {}
