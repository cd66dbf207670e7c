import * as z from 'zod/mini'
import type { ErrorCode } from '../errors.ts'
import { instant, openName, optional, part, type Stored, stamps } from './fields.ts'

export const GrantKind = z.enum(['refresh_token', 'credentials', 'upstream'])
/** The ways to a token that need nobody. */
export type GrantKind = z.output<typeof GrantKind>

export const GrantBlock = part({
  code: openName<ErrorCode>(),
  reason: z.string(),
  fix: optional(z.string()),
  /** The stamps of the secrets that are suspected; the block ends when one of them is stored again. */
  stamps,
  /** When it was written down; absent on records of earlier versions. */
  at: optional(instant),
  /** The block also ends by itself at this instant. */
  until: optional(instant),
  /** Whether a person's forced run may try all the same. */
  forcible: z.boolean(),
})
/** Why a grant is not to be tried, and what lifts that. */
export interface GrantBlock extends Stored<typeof GrantBlock> {}

/** Tries of one stored value that may have been wrong ones: each can bring a lock-out nearer (I7). */
export const UnconfirmedTries = part({
  /** Of the value that was sent: another one is counted anew. */
  stamp: z.string(),
  count: z.number(),
})

export const Ambiguity = part({
  grant: GrantKind,
  at: instant,
  /** How often the grant was sent again since. */
  repeats: z.number(),
  stamps,
  /** Whether the stored access token was probed since. */
  probed: z.boolean(),
})
/** A grant that was sent and whose fate is unknown. */
export interface Ambiguity extends Stored<typeof Ambiguity> {}
