import * as z from 'zod/mini'
import { StateStoreError } from '../errors.ts'
import { FORMAT, FORMAT_SINCE, inThisFormat } from './format.ts'
import { misfits } from './misfits.ts'
import { AccountState } from './record.ts'

/** Where a stored record lies, for what is said of one that cannot be read. */
export interface RecordPlace {
  /** How its store calls it. */
  readonly name: string
  /** What mends a record that was changed by hand. */
  readonly fix: string
}

/** The record as plain JSON values: instants as ISO 8601 text, and the format they are in. */
export function encodeAccountState(state: AccountState): Record<string, unknown> {
  const fields = JSON.parse(JSON.stringify(state)) as Record<string, unknown>
  return { ...fields, format: FORMAT, formatSince: FORMAT_SINCE }
}

/**
 * The inverse of {@link encodeAccountState}, and of that of earlier versions. Throws StateStoreError that names the
 * fields that do not fit, and never what is in them.
 */
export function decodeAccountState(stored: unknown, { name, fix }: RecordPlace): AccountState {
  const unreadable = (why: string) =>
    new StateStoreError(`the state record ${name} cannot be read: ${why}`, { fix })
  if (typeof stored !== 'object' || stored === null) throw unreadable('it is no group of fields')
  const fields = inThisFormat(stored as Record<string, unknown>, name)
  const { data, error } = z.safeParse(AccountState, fields)
  if (!error) return data
  throw unreadable(misfits(error, fields))
}
