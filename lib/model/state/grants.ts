import type { ErrorCode } from '../errors.ts'
import type { SecretName } from '../secrets/secret-name.ts'
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
/** The ways to a new access token that need no person. */
export type GrantKind = ValueOf<typeof GrantKind>

export const GrantBlock = part({
  code: openName<ErrorCode>(),
  reason: text,
  fix: optional(text),
  /** The stamps of the suspected secrets; the block ends when one of them is stored again. */
  stamps: texts,
  /** When the block was recorded; absent on records of earlier versions. */
  at: optional(instant),
  /** The block also ends by itself at this instant. */
  until: optional(instant),
  /** Whether a forced run may try the grant all the same. */
  forcible: yesOrNo,
})
/** Why a grant is not tried, and what ends that. */
export interface GrantBlock extends ValueOf<typeof GrantBlock> {}

/** Tries of one stored value that may have been wrong; each can bring a lock-out nearer (I7). */
const UnconfirmedTries = part({
  /** The stamp of the value that was sent; tries of another value are counted anew. */
  stamp: text,
  count: number,
})

export const Ambiguity = part({
  grant: GrantKind,
  at: instant,
  /** How often the grant was sent again since `at`. */
  repeats: number,
  stamps: texts,
  /** Whether the stored access token was probed since `at`. */
  probed: yesOrNo,
})
/** A grant that was sent and whose fate is unknown. */
export interface Ambiguity extends ValueOf<typeof Ambiguity> {}

/** What grants may do: their budget, what blocks them, what was tried. */
export const GRANT_FIELDS = {
  /** Attempts at the broker's login in the last day, oldest first. */
  attempts: list(instant),
  notBefore: optional(instant),
  /** When `notBefore` was recorded; absent on records of earlier versions. */
  notBeforeSetAt: optional(instant),
  /** The number of the last 30-second step for which a one-time code was made. */
  totpStep: optional(number),
  blocks: byName(openName<GrantKind>(), GrantBlock),
  /** Passwords and PINs that were sent, where the broker has not said that they are right. */
  unconfirmed: optional(byName(openName<SecretName>(), UnconfirmedTries)),
  /**
   * A grant that was sent and whose fate is unknown; over when one of the secrets it used is stored again.
   */
  ambiguous: optional(Ambiguity),
}
