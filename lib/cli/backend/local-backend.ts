import { resolve } from 'node:path'
import type { Config } from '../../config.ts'
import { consoleNotifier } from '../../local/console-notifier.ts'
import { hasSecrets, openDatabase } from '../../local/database.ts'
import { filesOf, withoutTilde } from '../../local/files.ts'
import { runHere } from '../../local/local-run.ts'
import { marketDaysFile } from '../../local/market-days-file.ts'
import { servedAt } from '../../local/sole-service.ts'
import { sqliteApiKeys } from '../../local/sqlite-api-keys.ts'
import { sqliteStateStore } from '../../local/sqlite-state-store.ts'
import { sqliteTokenVault } from '../../local/sqlite-token-vault.ts'
import { storeFault } from '../../local/store-fault.ts'
import { vaultKey } from '../../local/vault-key.ts'
import { withPresentDays } from '../../markets/present-days.ts'
import { ConfigurationError } from '../../model/errors.ts'
import type { Ports } from '../../ports/ports.ts'
import { loginService } from '../../tokens/login/login-service.ts'
import { defaultPlaces } from './installation.ts'
import { localMirrors } from './mirror-setting.ts'
import type { Backend, Setting } from './setting.ts'

/** Throws ConfigurationError. */
export function homeFolder(path: string | undefined): string {
  return path === undefined || path === '' ? defaultPlaces().home : resolve(withoutTilde(path))
}

/** Where `serve` answers unless it is told otherwise. */
export const SERVE_PORT = 8787

/** The login page of `serve`, whether or not it runs. */
export function localSiteUrl({ site }: Pick<Config, 'site'>): string {
  return site.url === undefined ? `http://127.0.0.1:${SERVE_PORT}` : new URL(site.url).origin
}

type Common = Pick<Ports, 'http' | 'clock' | 'hosts' | 'allowHttpHosts' | 'telemetry'>

/** Where words to whoever called the command go. */
interface Said {
  readonly alert: (text: string) => void
  readonly note: (text: string) => void
}

/** SQLite and the console in place of AWS. Throws ConfigurationError when its folder cannot be used. */
export function localBackend(setting: Setting, common: Common, { alert, note }: Said): Backend {
  const files = filesOf(setting.home)
  const database = usable(setting.home, () => openDatabase(files.database))
  const key = usable(setting.home, () => vaultKey(files.key, hasSecrets(database)))
  const { unwritable } = database
  if (unwritable) {
    note(`Warning: nothing can be recorded, since ${unwritable.says}; what is stored is still there.`)
    note(`Fix: ${unwritable.fix}`)
  }
  const vault = sqliteTokenVault(database, key, common.clock)
  const marketDays = marketDaysFile(files.marketDays)
  const ports: Ports = {
    ...common,
    vault,
    states: withPresentDays(sqliteStateStore(database), setting.days, marketDays, common),
    notifier: consoleNotifier((text) => alert(text.trimEnd())),
    subscribers: localMirrors(setting, vault, common.clock),
  }
  return {
    ports,
    run: ({ broker: { broker }, ...order }) => runHere({ broker, ...order }, ports),
    apiKeys: sqliteApiKeys(database),
    marketDays,
    logins: loginService({ brokers: setting.brokers.map(({ broker }) => broker), ports }),
    // Where the serve of this home answers, whatever port it has; else where one would.
    siteUrl: async () =>
      (setting.config.site.url === undefined ? servedAt(setting.home) : undefined) ??
      localSiteUrl(setting.config),
    unwritable,
    async close() {
      database.close()
    },
  }
}

function usable<T>(home: string, open: () => T): T {
  try {
    return open()
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause
    const { says, fix = 'make it yours and writable' } = storeFault(cause, filesOf(home).database) ?? {}
    throw new ConfigurationError(`the folder ${home} cannot be used${says ? `: ${says}` : ''}`, {
      cause,
      fix: `${fix}, or name another folder with --home or TOKENKEEPER_HOME`,
    })
  }
}
