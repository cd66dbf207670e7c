import { StateStoreError } from '../errors.ts'
import { VERSION } from '../version.ts'

/** The format in which records are written. It is raised when the previous release would misread a record. */
export const FORMAT = 2
/**
 * The first version of Tokenkeeper that reads {@link FORMAT}. Stored with it, so that an older version can
 * name it.
 */
export const FORMAT_SINCE = '0.2.0'

type Fields = Readonly<Record<string, unknown>>

/**
 * Each entry raises a record by one format; the first one raises records of 0.1, which name no format. Never
 * edit an entry that was released.
 */
const MIGRATIONS: readonly ((fields: Fields) => Fields)[] = [
  // The fields of 0.1 are those of format 2.
  (fields) => fields,
]

const VERSION_NUMBER = /^\d{1,4}\.\d{1,4}\.\d{1,4}$/

/**
 * The fields of a stored record in the present format. `name` is the record's name in its store. Throws
 * StateStoreError for a later format.
 */
export function inThisFormat(stored: Fields, name: string): Fields {
  const { format = 1, formatSince, ...fields } = stored
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1 || format > FORMAT) {
    const needed =
      typeof formatSince === 'string' && VERSION_NUMBER.test(formatSince)
        ? `${formatSince} or later`
        : 'a later version'
    throw new StateStoreError(
      `the state record ${name} cannot be read: it has a format this version (${VERSION}) does not know`,
      { fix: `use Tokenkeeper ${needed} here as well: it has been used on this account` },
    )
  }
  return MIGRATIONS.slice(format - 1).reduce((record, migrate) => migrate(record), fields)
}
