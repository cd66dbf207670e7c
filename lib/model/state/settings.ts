import * as z from 'zod/mini'
import { optional, part, type Stored } from './fields.ts'

export const AccountSettings = part({
  nickname: optional(z.string()),
  /** `external`: somebody else keeps this token; it is never touched. */
  managedBy: optional(z.literal('external')),
  leewayMinutes: optional(z.number()),
  /** A local ceiling on a token's age, in hours. */
  maxLifetimeHours: optional(z.number()),
  /** Choices only one broker knows, such as its API variant. */
  options: optional(z.record(z.string(), z.string())),
})
/** What the owner of an account chose; set by `setup`, never by a run. */
export interface AccountSettings extends Stored<typeof AccountSettings> {}
