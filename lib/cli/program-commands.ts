import { type Command, Option } from 'commander'
import type { CheckOptions } from './program/check.ts'
import type { ExecOptions } from './program/exec.ts'
import type { TokenOptions } from './program/token.ts'
import { run } from './run-command.ts'
import { collect, exitCode } from './terminal/option-values.ts'

/** What each command says of its accounts. */
export const ACCOUNTS = 'account ids; a broker alone means its default account, or its only one'
export const ALL = 'all accounts, or all of the brokers that are named'

const EXEC_HELP = `
The command gets <BROKER>_ACCESS_TOKEN (UPSTOX_ACCESS_TOKEN, POS_CONNECTOR_ACCESS_TOKEN) and, where the broker has
companions, <BROKER>_SESSION as JSON; with several accounts of one broker also <BROKER>_<NAME>_ACCESS_TOKEN. With one
account it also gets TOKENKEEPER_ACCESS_TOKEN, TOKENKEEPER_AUTHORIZATION (the whole header) and TOKENKEEPER_EXPIRES_AT.
Its exit code is passed on; 126 when it cannot be run, 127 when it is not there. Without a live token it is not started.`

interface SplitArguments {
  readonly ownArguments: readonly string[]
  readonly childCommand: readonly string[]
}

/** What follows two dashes after `exec` is a command to start, and no argument of ours. */
export function splitCommand(argv: readonly string[]): SplitArguments {
  const exec = argv.indexOf('exec', 2)
  const dashes = argv.indexOf('--', 2)
  if (exec < 0 || dashes < exec) return { ownArguments: argv, childCommand: [] }
  return { ownArguments: argv.slice(0, dashes), childCommand: argv.slice(dashes + 1) }
}

/** Adds the commands for programs that use tokens. */
export function programCommands(
  command: (usage: string, description: string) => Command,
  childCommand: readonly string[],
): void {
  forPrograms(command('check [accounts...]', 'tell whether tokens provably last; renews nothing'))
    .argument('[accounts...]', `${ACCOUNTS} (default: all)`)
    .option('--all', ALL)
    .option('--live', 'ask the broker, too')
    .addHelpText('after', '\nThe highest exit code of an account wins.')
    .action(
      run<CheckOptions>(async (accounts, options, shown) =>
        (await import('./program/check.ts')).check(accounts, options, shown),
      ),
    )

  forPrograms(command('token [account]', 'print a live access token into a pipe or a file; renews nothing'))
    .argument('[account]', 'an account id')
    .option('--show', 'print it to a terminal, too')
    .option('--dotenv', "print it as a line of a .env file: UPSTOX_ACCESS_TOKEN='…'")
    .action(
      run<TokenOptions>(async (accounts, options, shown) =>
        (await import('./program/token.ts')).printToken(accounts, options, shown),
      ),
    )

  forPrograms(command('exec [accounts...]', 'start a command with live tokens in its environment'))
    .argument('[accounts...]', ACCOUNTS)
    .usage('<accounts...> [options] -- <command> [arguments...]')
    .option('--all', ALL)
    .option(
      '--refresh-on-exit-code <code>',
      'the command says so that its token was refused: once more',
      exitCode,
    )
    .addHelpText('after', EXEC_HELP)
    .action(
      run<ExecOptions>(async (accounts, options, shown) =>
        (await import('./program/exec.ts')).exec(accounts, childCommand, options, shown),
      ),
    )
}

/** What the commands for programs that use tokens have in common. */
function forPrograms(made: Command): Command {
  return made
    .option('--min-valid-for <time>', 'how long the token must last: 2h, 1h30m, or seconds')
    .addOption(new Option('--until <when>', 'until the market has closed').choices(['close']))
    .option('--url <address>', 'a REST interface in place of a backend (default: TOKENKEEPER_URL)')
    .option('--user <id>', 'an IIFL user, the same as iifl/<id>; may be repeated', collect)
}
