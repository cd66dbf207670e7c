import type { Command } from 'commander'
import { TokenUnavailableError } from '../client/errors.ts'
import { isAccountId } from '../model/account-id.ts'
import { TokenkeeperError } from '../model/errors.ts'
import { forAccount } from '../tokens/rules/outcome/advice.ts'
import { ownCommand } from './backend/own-command.ts'
import type { GlobalOptions } from './backend/setting.ts'
import { Cancelled } from './terminal/cancelled.ts'
import { EXIT, exitCodeOfError } from './terminal/exit-codes.ts'
import { type Terminal, terminal } from './terminal/terminal.ts'
import { UsageError } from './terminal/usage-error.ts'

type Work<Options> = (args: readonly string[], options: Options, shown: Terminal) => Promise<number>

/** Runs a command and turns its end into an exit code, and errors into words. */
export function run<Options extends GlobalOptions>(work: Work<Options>) {
  return async (...given: unknown[]): Promise<void> => {
    const called = given.at(-1) as Command
    const options = called.optsWithGlobals<Options>()
    const shown = terminal({ ...options, words: ownCommand(options) })
    try {
      process.exitCode = await work(called.args, options, shown)
    } catch (error) {
      process.exitCode = explain(error, called.args[0], options, shown)
    }
  }
}

/** Says what went wrong and what helps. A stack is for --verbose; every text passes the mask of known secrets. */
function explain(
  error: unknown,
  account: string | undefined,
  { verbose, json }: GlobalOptions,
  shown: Terminal,
): number {
  const fault = error instanceof Error ? error : new Error(String(error))
  const advice = (fault as { readonly fix?: string }).fix ?? ''
  const fix = forAccount(advice, account !== undefined && isAccountId(account) ? account : undefined)
  const code =
    error instanceof TokenkeeperError || error instanceof TokenUnavailableError
      ? error.code
      : error instanceof UsageError
        ? 'usage'
        : 'fault'
  if (error instanceof Cancelled) {
    shown.note(fault.message)
    return EXIT.interrupted
  }
  if (json) {
    shown.object({ success: false, error: { code, message: fault.message, ...(fix && { fix }) } })
  } else {
    shown.note(`${shown.style('red', 'Error:')} ${fault.message}`)
    if (fix !== '') shown.note(`${shown.style('bold', 'Fix:')} ${fix}`)
  }
  if (verbose && fault.stack) shown.note(fault.stack)
  if (error instanceof UsageError) return EXIT.usage
  return exitCodeOfError(error)
}
