import { existsSync } from 'node:fs'
import { filesOf, withoutTilde } from '../../local/files.ts'
import { ConfigurationError } from '../../model/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import { systemClock } from '../../system-clock.ts'
import { localSource } from './local-source.ts'
import type { TokenSource } from './token-source.ts'

export interface LocalHomeOptions {
  /** `fyers`, or `iifl/28748327`. */
  readonly account: string
  /** Where tokenkeeper keeps its stores: TOKENKEEPER_HOME, else `.tokenkeeper` of its clone, or `~/.tokenkeeper`. */
  readonly home: string
  /**
   * The `tokenkeeper` context of cdk.json, so that the owner's settings apply here too. @default - no
   * settings
   */
  readonly config?: unknown
  /** Origins that replace the brokers' own, by host name. @default - the configuration's */
  readonly hosts?: Readonly<Record<string, string>>
  /** Prints messages to a person, such as that a login is needed. @default - to stderr */
  readonly print?: (text: string) => void
  /** @default - the host's */
  readonly clock?: Clock
}

/**
 * A source of tokens from the folder of a local tokenkeeper, which this process opens; closing the client
 * closes it. Throws ConfigurationError where nothing is set up there, or the folder, its key or the
 * configuration cannot be used.
 */
export async function openLocalSource(options: LocalHomeOptions): Promise<TokenSource> {
  const home = withoutTilde(options.home)
  const {
    account,
    clock = systemClock,
    // console.error, since a plain write would end a program whose stderr is closed.
    print = (text) => console.error(text),
  } = options
  const files = filesOf(home)
  if (!existsSync(files.database)) {
    throw new ConfigurationError(`nothing is set up in ${home}`, {
      fix: `give the folder of TOKENKEEPER_HOME, or run tokenkeeper setup ${account}`,
    })
  }
  const [database, vault, states, file, present, key, notifier, telemetry, http, config] = await Promise.all([
    import('../../local/database.ts'),
    import('../../local/sqlite-token-vault.ts'),
    import('../../local/sqlite-state-store.ts'),
    import('../../local/market-days-file.ts'),
    import('../../markets/present-days.ts'),
    import('../../local/vault-key.ts'),
    import('../../local/console-notifier.ts'),
    import('../../local/local-telemetry.ts'),
    import('../../http/undici-http.ts'),
    import('../../config.ts'),
  ])
  const settings = options.config === undefined ? undefined : config.parseConfig(options.config)
  const days = new present.PresentDays(settings?.markets)
  const store = database.openDatabase(files.database)
  try {
    const { unwritable } = store
    if (unwritable) print(`nothing can be recorded in ${home}, since ${unwritable.says}: ${unwritable.fix}`)
    const opened = vault.sqliteTokenVault(store, key.vaultKey(files.key, true), clock)
    const brokerHttp = http.undiciHttp()
    const told = { clock, telemetry: telemetry.localTelemetry(print, 'error') }
    const source = localSource({
      account,
      ...(settings && { brokers: config.enabledBrokers(settings, days.now).map(({ broker }) => broker) }),
      ports: {
        vault: opened,
        states: present.withPresentDays(
          states.sqliteStateStore(store),
          days,
          file.marketDaysFile(files.marketDays),
          told,
        ),
        notifier: notifier.consoleNotifier((text) => print(text.trimEnd())),
        ...told,
        http: brokerHttp,
        hosts: { ...hostsIn(settings), ...options.hosts },
        ...(settings && { allowHttpHosts: settings.allowHttpHosts }),
      },
    })
    return {
      ...source,
      async close() {
        await brokerHttp.close()
        store.close()
      },
    }
  } catch (error) {
    store.close()
    throw error
  }
}

type Settings = ReturnType<typeof import('../../config.ts').parseConfig>

function hostsIn(settings: Settings | undefined): Record<string, string> {
  const brokers = Object.values(settings?.brokers ?? {})
  const named = brokers.flatMap((broker) => Object.entries<string | undefined>(broker?.hosts ?? {}))
  return Object.fromEntries(named.flatMap(([name, origin]) => (origin ? [[name, origin]] : [])))
}
