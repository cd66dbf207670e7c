import type { Command } from 'commander'
import type { OpenOptions } from './markets/change.ts'
import type { MirrorPasswordOptions } from './mirrors/password.ts'
import { run } from './run-command.ts'
import { collect, positive } from './terminal/option-values.ts'
import type { ReEncryptOptions } from './vault/re-encrypt.ts'

/** Adds the commands that come in groups: `alerts …`, `keys …`, `markets …`, `mirrors …`, `vault …`. */
export function commandGroups(command: (usage: string, description: string) => Command): void {
  const alerts = command('alerts', 'who gets alerts, and whether that will last')
  alerts
    .command('list')
    .description('show the subscriptions of the alert topic, and what is wrong with them')
    .action(
      run(async (_, options, shown) =>
        (await import('./alerts/alerts.ts')).listSubscriptions(options, shown),
      ),
    )
  alerts
    .command('confirm')
    .description('confirm a subscription so that no unsubscribe link can end it')
    .argument(
      '[link]',
      'the link of the confirmation mail, in quotes and unopened; asked for when it is left out',
    )
    .action(
      run(async ([link], options, shown) =>
        (await import('./alerts/alerts.ts')).confirmAlerts(link, options, shown),
      ),
    )
  alerts
    .command('test')
    .description('send a message to everybody who gets alerts')
    .action(run(async (_, options, shown) => (await import('./alerts/alerts.ts')).testAlerts(options, shown)))
  alerts
    .command('rotate-key')
    .description('sign the links of coming alerts with a new key')
    .action(
      run(async (_, options, shown) => (await import('./alerts/rotate-key.ts')).rotateKey(options, shown)),
    )

  const keys = command('keys', 'the keys programs present to the REST interface')
  keys
    .command('create')
    .description('make a key; it is printed to stdout, once')
    .option('--name <name>', 'which program it is for')
    .option(
      '--scope <scope>',
      'what it may do: status, validate, token, refresh, update, admin; repeatable',
      collect,
    )
    .option('--account <account>', 'an account it is limited to; may be repeated', collect)
    .option('--all-accounts', 'for every account there is and will be')
    .option('--expires <time>', 'ends by itself after hours, days or weeks: 12h, 90d, 4w')
    .action(run(async (_, options, shown) => (await import('./keys/keys.ts')).createKey(options, shown)))
  keys
    .command('list')
    .description('show all keys, without what opens anything')
    .action(run(async (_, options, shown) => (await import('./keys/keys.ts')).listKeys(options, shown)))
  keys
    .command('revoke')
    .description('end a key for good, from the next request on')
    .argument('<id>', 'the part of the key between tk_ and the next underscore')
    .action(
      run(async ([id], options, shown) =>
        (await import('./keys/keys.ts')).revokeKey(id ?? '', options, shown),
      ),
    )

  const markets = command('markets', 'on which days markets trade')
  markets
    .command('list')
    .description('show closed days and special sessions, and where they are from')
    .option('--year <year>', 'of another year than this one')
    .option('--market <names>', 'of these markets, with commas between them')
    .action(run(async (_, options, shown) => (await import('./markets/list.ts')).listDays(options, shown)))
  markets
    .command('close')
    .description('say that markets are closed on a day, which no release knows of: nobody is asked')
    .argument('<markets>', 'their names, with commas between them: in-equity,in-fno')
    .argument('<date>', 'the day on their calendar: 2027-01-15')
    .option('--why <text>', 'told by markets list')
    .action(
      run(async ([names = '', date = ''], options, shown) =>
        (await import('./markets/change.ts')).closeMarkets(names, date, options, shown),
      ),
    )
  markets
    .command('open')
    .description('take that back, or say that markets trade on a day on which they would not')
    .argument('<markets>', 'their names, with commas between them: in-equity,in-fno')
    .argument('<date>', 'the day on their calendar: 2027-02-06')
    .option('--from <time>', 'when they open, if not as usual: 18:00')
    .option('--to <time>', 'when they close')
    .option('--why <text>', 'told by markets list')
    .action(
      run<OpenOptions>(async ([names = '', date = ''], options, shown) =>
        (await import('./markets/change.ts')).openMarkets(names, date, options, shown),
      ),
    )

  const mirrors = command('mirrors', 'copies of the published tokens, in Redis and in files')
  mirrors
    .command('test')
    .description('connect to each mirror and tell which accounts it holds a token of')
    .action(run(async (_, options, shown) => (await import('./mirrors/test.ts')).testMirrors(options, shown)))
  mirrors
    .command('password')
    .description('store the password of the Redis, read from a hidden prompt or from stdin')
    .option('--remove', 'take the stored one away')
    .action(
      run<MirrorPasswordOptions>(async (_, options, shown) =>
        (await import('./mirrors/password.ts')).mirrorPassword(options, shown),
      ),
    )

  const vault = command('vault', 'the keys that the secrets of a stack are encrypted under')
  vault
    .command('check')
    .description(
      'whether all that is stored stays readable once cdk.json is deployed; npm run deploy asks first',
    )
    .action(run(async (_, options, shown) => (await import('./vault/check.ts')).checkVault(options, shown)))
  vault
    .command('re-encrypt')
    .description('store every secret again that lies under another key than the present one')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--writes-per-second <number>', 'SSM takes 3 from all of an AWS account', positive, 3)
    .action(
      run<ReEncryptOptions>(async (_, options, shown) =>
        (await import('./vault/re-encrypt.ts')).reEncrypt(options, shown),
      ),
    )
}
