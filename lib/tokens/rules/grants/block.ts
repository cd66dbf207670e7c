import { Temporal } from 'temporal-polyfill'
import type { AccountState, Ambiguity, GrantBlock } from '../../../model/account-state.ts'
import type { SecretName } from '../../../model/secrets/secret-name.ts'
import { isFromTheFuture } from '../../../model/time/clock-tolerance.ts'
import { isAfter } from '../../../model/time/instants.ts'
import type { StoredSecrets } from '../../../ports/token-vault.ts'
import { isOlder } from '../token/older-read.ts'
import { secretStamp } from './secret-stamp.ts'

type Instant = Temporal.Instant

/**
 * A block that ends by itself ends by the next midnight, and the longest calendar day of any zone has 25 h.
 */
const LONGEST_BLOCK_HOURS = 25

/** Whether a block still keeps its grant from being tried. Pure. */
export function isBlocking(
  block: GrantBlock,
  stored: StoredSecrets,
  { now, isForced }: { readonly now: Instant; readonly isForced: boolean },
): boolean {
  if (isOver(block, now)) return false
  if (isForced && block.forcible) return false
  // Only a new value of a suspected secret lifts the block: a new refresh token does not make a refused PIN
  // right.
  return !isAnyStoredAgain(stored, block.stamps)
}

/** Whether a block has ended by itself, or was set by a clock that was ahead and would end too late. Pure. */
export function isOver({ until, at }: GrantBlock, now: Instant): boolean {
  if (!until) return false
  // A record of an earlier version does not say when the block was set: the earliest instant possible is
  // assumed.
  const since = at ?? until.subtract({ hours: LONGEST_BLOCK_HOURS })
  return !isAfter(until, now) || isFromTheFuture(since, now)
}

/**
 * The ambiguity on record, as long as none of the secrets it used has been stored again; `undefined`
 * otherwise. Pure.
 */
export function unresolved({ ambiguous }: AccountState, stored: StoredSecrets): Ambiguity | undefined {
  return ambiguous && !isAnyStoredAgain(stored, ambiguous.stamps) ? ambiguous : undefined
}

function isAnyStoredAgain(stored: StoredSecrets, stamps: Readonly<Record<string, string>>): boolean {
  return Object.entries(stamps).some(([name, stamp]) => isStoredAgain(stored, name as SecretName, stamp))
}

/**
 * Whether the secret was stored since its stamp was taken. An older version is a stale read from SSM, and was
 * tried already.
 */
function isStoredAgain(stored: StoredSecrets, name: SecretName, stamp: string | undefined): boolean {
  const secret = stored.get(name)
  if (secret === undefined || secretStamp(stored, name) === stamp) return false
  const [version, modifiedAt] = stamp?.split('@') ?? []
  return modifiedAt === undefined || !isOlder(secret, Number(version), Temporal.Instant.from(modifiedAt))
}
