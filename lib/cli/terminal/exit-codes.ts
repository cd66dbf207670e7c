import { TokenUnavailableError } from '../../client/errors.ts'
import { type ErrorCode, TokenkeeperError } from '../../model/errors.ts'
import type { RunReport } from '../../model/outcome.ts'

/** What a process says by its end; scripts rely on these. */
export const EXIT = {
  ok: 0,
  /** A bug of ours. */
  fault: 1,
  usage: 2,
  refreshFailed: 3,
  loginNeeded: 4,
  configuration: 5,
  /** Of `exec`, as shells have them: the command is there and cannot be run, or is not there. */
  notExecutable: 126,
  notFound: 127,
  /** Ctrl-C, as shells count it. */
  interrupted: 130,
} as const

const CONFIGURATION_CODES: ReadonlySet<ErrorCode | undefined> = new Set([
  'configuration_invalid',
  'client_rejected',
])
/** What else a program that uses tokens can have set up wrongly. */
const ACCESS_CODES: ReadonlySet<string> = new Set([
  'unknown_account',
  'unauthenticated',
  'insufficient_scope',
  'key_unknown',
  'key_expired',
  'key_revoked',
  'cannot_renew',
])

/** The worst of a run: a failure or no token, else a missing login; configuration where nothing else is in the way. */
export function exitCodeOfRun({ results, total }: RunReport): number {
  if (total === 0) return EXIT.configuration
  const failed = results.filter(({ success }) => !success)
  // Nothing was done, by this run or before it, for an account that has no token.
  const idle = results.filter(
    ({ outcome, live }) => (outcome === 'skipped' || outcome === 'fresh') && live === false,
  )
  if (failed.length === 0) {
    if (idle.length === 0) return EXIT.ok
    return idle.every(({ loginHelpsFrom }) => loginHelpsFrom) ? EXIT.loginNeeded : EXIT.refreshFailed
  }
  if (failed.every(({ code }) => CONFIGURATION_CODES.has(code))) return EXIT.configuration
  return failed.every(({ outcome }) => outcome === 'awaiting_login') ? EXIT.loginNeeded : EXIT.refreshFailed
}

export function exitCodeOfError(error: unknown): number {
  if (error instanceof TokenUnavailableError) {
    const { code, actor } = error
    if (CONFIGURATION_CODES.has(code as ErrorCode) || ACCESS_CODES.has(code)) return EXIT.configuration
    return actor === 'person' ? EXIT.loginNeeded : EXIT.refreshFailed
  }
  if (!(error instanceof TokenkeeperError)) return EXIT.fault
  return CONFIGURATION_CODES.has(error.code) ? EXIT.configuration : EXIT.refreshFailed
}
