import { ConfigurationError } from '../../lib/model/errors.ts'

/** Lambda's own limit. */
const LONGEST_FUNCTION_NAME = 64

/** Throws ConfigurationError for the first name that Lambda would refuse. */
export function assertFunctionNames(names: readonly string[]): void {
  const long = names.find(({ length }) => length > LONGEST_FUNCTION_NAME)
  if (long === undefined) return
  throw new ConfigurationError(
    `"${long}" has ${long.length} characters, a function name may have ${LONGEST_FUNCTION_NAME}`,
    { fix: 'choose a shorter stackName in cdk.json' },
  )
}
