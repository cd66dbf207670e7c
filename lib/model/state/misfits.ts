import type * as z from 'zod/mini'

/** More than that tells nobody more. */
const MOST_TOLD = 3

const KINDS: Readonly<Record<string, string>> = {
  string: 'no text',
  number: 'no number',
  boolean: 'neither true nor false',
  array: 'no list',
  object: 'no group of fields',
  record: 'no group of fields',
}

/** The fields of a record that do not fit and why, in words; what is in them could be a secret in the wrong place. */
export function misfits({ issues }: z.core.$ZodError, record: unknown): string {
  const told = issues.slice(0, MOST_TOLD).map((issue) => {
    const isMissing = valueAt(issue.path, record) === undefined
    return `${issue.path.join('.')} ${isMissing ? 'is missing' : wordsFor(issue)}`
  })
  const more = issues.length - told.length
  return `${told.join(', ')}${more > 0 ? `, and ${more} more` : ''}`
}

function wordsFor(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `is ${KINDS[issue.expected] ?? `no ${issue.expected}`}`
    case 'invalid_value':
      return `is none of ${issue.values.join(', ')}`
    case 'custom':
      return issue.message
    default:
      return 'does not fit'
  }
}

function valueAt(path: readonly PropertyKey[], record: unknown): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    record,
  )
}
