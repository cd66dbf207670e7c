/**
 * The version of package.json, which a test holds this, the lockfile and the list of changes to; a constant so that bundles
 * need no file at run time.
 */
export const VERSION = '0.2.0'

/** Sent with every call: unusual or missing signatures are blocked at some brokers' edge. */
export const USER_AGENT = `tokenkeeper/${VERSION}`
