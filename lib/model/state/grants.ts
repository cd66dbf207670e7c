import type { ErrorCode } from '../errors.ts'
import type { SecretName } from '../secret-name.ts'
import {
  byName,
  instant,
  list,
  number,
  oneOf,
  openName,
  optional,
  part,
  text,
  texts,
  type ValueOf,
  yesOrNo,
} from './fields.ts'

export const GrantKind = oneOf('refresh_token', 'credentials', 'upstream')
/** The ways to a token that need nobody. */
export type GrantKind = ValueOf<typeof GrantKind>

export const GrantBlock = part({
  code: openName<ErrorCode>(),
  reason: text,
  fix: optional(text),
  /** The stamps of the secrets that are suspected; the block ends when one of them is stored again. */
  stamps: texts,
  /** When it was written down; absent on records of earlier versions. */
  at: optional(instant),
  /** The block also ends by itself at this instant. */
  until: optional(instant),
  /** Whether a person's forced run may try all the same. */
  forcible: yesOrNo,
})
/** Why a grant is not to be tried, and what lifts that. */
export interface GrantBlock extends ValueOf<typeof GrantBlock> {}

/** Tries of one stored value that may have been wrong ones: each can bring a lock-out nearer (I7). */
const UnconfirmedTries = part({
  /** Of the value that was sent: another one is counted anew. */
  stamp: text,
  count: number,
})

export const Ambiguity = part({
  grant: GrantKind,
  at: instant,
  /** How often the grant was sent again since. */
  repeats: number,
  stamps: texts,
  /** Whether the stored access token was probed since. */
  probed: yesOrNo,
})
/** A grant that was sent and whose fate is unknown. */
export interface Ambiguity extends ValueOf<typeof Ambiguity> {}

/** What grants may do: their budget, what blocks them, what was tried. */
export const GRANT_FIELDS = {
  /** Attempts at the broker's login in the last day, oldest first. */
  attempts: list(instant),
  notBefore: optional(instant),
  /** When that was written down; absent on records of earlier versions. */
  notBeforeSetAt: optional(instant),
  /** The last 30-second step a one-time code was made for. */
  totpStep: optional(number),
  blocks: byName(openName<GrantKind>(), GrantBlock),
  /** Passwords and PINs that were sent, and of which the broker has not said that they are right. */
  unconfirmed: optional(byName(openName<SecretName>(), UnconfirmedTries)),
  /** A grant was sent and its fate is unknown; over when one of the secrets it used is stored again. */
  ambiguous: optional(Ambiguity),
}
