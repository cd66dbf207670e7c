/**
 * The version of package.json; a test keeps this, the lockfile and the list of changes the same. A constant,
 * so that bundles need no file at run time.
 */
export const VERSION = '0.2.0'

/** The User-Agent header of every call; some brokers block calls with an unusual one or none. */
export const USER_AGENT = `tokenkeeper/${VERSION}`
