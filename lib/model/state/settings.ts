import { list, number, oneOf, optional, part, text, texts, type ValueOf } from './fields.ts'

export const AccountSettings = part({
  nickname: optional(text),
  /** `external`: somebody else renews this token, and it is left alone here. */
  managedBy: optional(oneOf('external')),
  leewayMinutes: optional(number),
  /** Our own limit on a token's age, in hours. */
  maxLifetimeHours: optional(number),
  /** On which markets it trades, by their names; none: an empty list. @default - those of the broker */
  markets: optional(list(text)),
  /** Choices only one broker knows, such as its API variant. */
  options: optional(texts),
})
/** What the owner of an account chose; set by `setup`, never by a run. */
export interface AccountSettings extends ValueOf<typeof AccountSettings> {}
