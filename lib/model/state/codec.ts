import { StateStoreError } from '../errors.ts'
import { isGroup } from './fields.ts'
import { FORMAT, FORMAT_SINCE, inThisFormat } from './format.ts'
import { AccountState } from './record.ts'

/** How many faults an error names. */
const MOST_TOLD = 3

/** Where a stored record is, for the error where it cannot be read. */
export interface RecordPlace {
  /** The record's name in its store. */
  readonly name: string
  /** What repairs a record that was changed by hand. */
  readonly fix: string
}

/** The record as plain JSON values: instants as ISO 8601 text, and the format they are in. */
export function encodeAccountState(state: AccountState): Record<string, unknown> {
  const fields = JSON.parse(JSON.stringify(state)) as Record<string, unknown>
  return { ...fields, format: FORMAT, formatSince: FORMAT_SINCE }
}

/**
 * The inverse of {@link encodeAccountState}; reads records of earlier versions too. Throws StateStoreError,
 * which names the fields that do not fit and never their values, and for a record of a later format.
 */
export function decodeAccountState(stored: unknown, { name, fix }: RecordPlace): AccountState {
  const faults: string[] = []
  const fields = isGroup(stored) ? inThisFormat(stored, name) : stored
  const state = AccountState.read(fields, '', faults)
  if (faults.length === 0) return state
  const more = faults.length - MOST_TOLD
  const told = `${faults.slice(0, MOST_TOLD).join(', ')}${more > 0 ? `, and ${more} more` : ''}`
  throw new StateStoreError(`the state record ${name} cannot be read: ${told}`, { fix })
}
