import './needed-node.ts'
import { Command, CommanderError, Option } from 'commander'
import { VERSION } from '../model/version.ts'
import type { PauseOptions } from './accounts/pause.ts'
import type { RemoveOptions } from './accounts/remove.ts'
import { commandGroups } from './command-groups.ts'
import type { DoctorOptions } from './doctor/doctor.ts'
import { ACCOUNTS, ALL, programCommands, splitCommand } from './program-commands.ts'
import { run } from './run-command.ts'
import type { ServeOptions } from './serve/options.ts'
import type { SimulateOptions } from './serve/simulate.ts'
import type { StatusOptions } from './status/status.ts'
import { EXIT } from './terminal/exit-codes.ts'
import { surviveLostOutput } from './terminal/lost-output.ts'
import { collect, port, positive } from './terminal/option-values.ts'

const EXIT_CODES = `
Exit codes: 0 ok, 2 wrong usage, 3 a refresh failed, 4 a person must log in, 5 configuration`

const { ownArguments, childCommand } = splitCommand(process.argv)

/** What the command line takes; started as a program this file runs it. */
export const program = new Command('tokenkeeper')
  .description('Keeps broker access tokens alive and proves each one before anybody uses it.')
  .version(VERSION)
  .addOption(new Option('--backend <name>', 'where accounts live').choices(['local', 'aws']))
  .option('--config <file>', 'the configuration (default: cdk.json in the clone, else in ~/.tokenkeeper)')
  .option(
    '--home <folder>',
    'folder of the local backend (default: TOKENKEEPER_HOME, else .tokenkeeper in the clone, else ~/.tokenkeeper)',
  )
  .option('--json', 'print one JSON object and nothing else')
  .option('--ascii', 'print plain ASCII characters only')
  .option('--verbose', 'tell more of what happens')
  .configureHelp({ showGlobalOptions: true })
  .addHelpText('after', EXIT_CODES)
  .exitOverride()

command('setup <account>', 'store the credentials of an account and register it')
  .argument('<account>', 'a broker, or broker/account: fyers, iifl/28748327')
  .option('--from-env <file>', 'take values from a .env file')
  .option('--from-config <file>', 'take values from the config.json of a POS connector')
  .option('--nickname <name>', 'how people call the account')
  .option('--leeway-minutes <minutes>', 'how long before its end a token is renewed', positive)
  .option('--max-lifetime-hours <hours>', 'a local ceiling on the age of a token', positive)
  .option('--markets <names>', 'on which markets it trades: in-equity,in-fno; none; or usual')
  .addOption(new Option('--managed-by <who>', 'somebody else keeps this token').choices(['external']))
  .option('--option <key=value>', 'a choice only this broker knows; may be repeated', collect)
  .option('--forget-user', 'accept another user of the broker from the next proof on')
  .option('--refresh', 'get and prove a token right away')
  .option('--no-refresh', 'do not offer that')
  .action(
    run(async ([account], options, shown) =>
      (await import('./setup/setup.ts')).setup(account ?? '', options, shown),
    ),
  )

command('refresh [accounts...]', 'bring every token that is due up to date, and prove it')
  .argument('[accounts...]', `${ACCOUNTS} (default: all)`)
  .option('--all', ALL)
  .option('--force', 'renew tokens that are still fresh, too')
  .option('--user <id>', 'an IIFL user, the same as iifl/<id>; may be repeated', collect)
  .action(
    run(async (accounts, options, shown) =>
      (await import('./refresh/refresh.ts')).refresh(accounts, options, shown),
    ),
  )

command('status [accounts...]', 'tell how the accounts stand, without asking any broker')
  .argument('[accounts...]', `${ACCOUNTS} (default: all)`)
  .option('--all', ALL)
  .option('--user <id>', 'an IIFL user, the same as iifl/<id>; may be repeated', collect)
  .option(
    '--watch [seconds]',
    'look again and again (default: every 2 s, 10 s on AWS); Ctrl-C ends it',
    positive,
  )
  .action(
    run<StatusOptions>(async (accounts, options, shown) =>
      (await import('./status/status.ts')).status(accounts, options, shown),
    ),
  )

programCommands(command, childCommand)

command('login [accounts...]', 'log in at a broker: through the browser, or in its app')
  .argument('[accounts...]', `${ACCOUNTS} (default: every one that needs a person)`)
  .option('--all', 'all that need a person, or those of the brokers that are named')
  .option('--user <id>', 'an IIFL user, the same as iifl/<id>; may be repeated', collect)
  .option('--no-open', 'print the address and open no browser; the same over SSH')
  .option('--print-url', 'step 1 alone: print the address to log in at, and nothing else')
  .addOption(
    new Option(
      '--code <code>',
      'steps 2 and 3 alone: the whole address the browser ended at, or the code in it; - reads it from stdin, which other users of the machine cannot see',
    ),
  )
  .option('--approve', 'have the broker ask in its own app, and wait (Upstox)')
  .option('--webhook-url', 'print the notifier URL to register at the broker for that')
  .action(
    run(async (accounts, options, shown) =>
      (await import('./login/login.ts')).login(accounts, options, shown),
    ),
  )

command('put <account> <name>', 'store one value, read from a hidden prompt or from stdin')
  .argument('<account>', 'an account id')
  .argument('<name>', 'access_token (which is proven first), refresh_token, pin and so on')
  .action(
    run(async ([account, name], options, shown) =>
      (await import('./accounts/put.ts')).put(account ?? '', name ?? '', options, shown),
    ),
  )

for (const [name, paused] of [
  ['pause', true],
  ['resume', false],
] as const) {
  command(
    `${name} [accounts...]`,
    paused ? 'leave accounts alone until they are resumed' : 'take paused accounts up again',
  )
    .argument('[accounts...]', ACCOUNTS)
    .option('--all', `${ALL}; asks first`)
    .option('--yes', 'do not ask')
    .action(
      run<PauseOptions>(async (accounts, options, shown) =>
        (await import('./accounts/pause.ts')).setPaused(paused, accounts, options, shown),
      ),
    )
}

command('remove [accounts...]', 'take accounts out for good, with every secret stored for them; asks first')
  .argument('[accounts...]', ACCOUNTS)
  .option('--all', ALL)
  .option('--yes', 'do not ask')
  .action(
    run<RemoveOptions>(async (accounts, options, shown) =>
      (await import('./accounts/remove.ts')).remove(accounts, options, shown),
    ),
  )

command('serve', 'keep the tokens alive in this process, and answer on loopback')
  .option('--port <number>', 'port on 127.0.0.1 (default: 8787)', port)
  .option('--speed <minutes>', 'simulated minutes in one second', positive, 5)
  .option('--demo', 'show the simulated world although accounts are set up')
  .option('--no-demo', 'where no account is set up, say so and end: for a service nobody watches')
  .action(
    run<ServeOptions>(async (_, options, shown) => (await import('./serve/serve.ts')).serve(options, shown)),
  )

command(
  'doctor [accounts...]',
  'check this installation and say how to mend it; --verbose tells what is right, too',
)
  .argument('[accounts...]', `${ACCOUNTS} (default: all)`)
  .option('--all', ALL)
  .option('--self-test', 'also renew each token, and have the broker take it before and after')
  .action(
    run<DoctorOptions>(async (accounts, options, shown) =>
      (await import('./doctor/doctor.ts')).doctor(accounts, options, shown),
    ),
  )

commandGroups(command)

command('simulate', 'serve simulated brokers to try things out against')
  .option('--port-base <number>', 'first of seven ports in a row (default: free ones)', port)
  .action(
    run<SimulateOptions>(async (_, options, shown) =>
      (await import('./serve/simulate.ts')).simulate(options, shown),
    ),
  )

if (import.meta.main) {
  surviveLostOutput()
  try {
    await program.parseAsync(ownArguments)
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
  }
  // An abandoned run may still hold a timer or a socket.
  setTimeout(() => process.exit(), 500).unref()
}

function command(usage: string, description: string): Command {
  const [name = ''] = usage.split(' ')
  return program.command(name).description(description)
}
