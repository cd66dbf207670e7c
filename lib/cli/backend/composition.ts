import { Temporal } from 'temporal-polyfill'
import { type Config, enabledBrokers } from '../../config.ts'
import { httpOnDemand } from '../../http/http-on-demand.ts'
import { proxySettings } from '../../http/proxy-settings.ts'
import { PresentDays } from '../../markets/present-days.ts'
import { ConfigurationError } from '../../model/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import { clockStartingAt, systemClock } from '../../system-clock.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { readConfigFile } from './config-file.ts'
import { replacedHosts } from './hosts.ts'
import type { Backend, EnabledBroker, Environment, GlobalOptions, Setting } from './setting.ts'

/** Everything a command works with. */
export interface Composition extends Backend {
  readonly backend: 'local' | 'aws'
  readonly config: Config
  readonly brokers: readonly EnabledBroker[]
  /** What the process was started with, for imports. */
  readonly env: Environment
  /** Where the local backend keeps its files. */
  readonly home: string
}

/** Reads the configuration and the environment. Throws ConfigurationError. */
export async function readSetting(options: GlobalOptions, env: Environment = process.env): Promise<Setting> {
  const { homeFolder } = await import('./local-backend.ts')
  const config = readConfigFile(options.config)
  const backend = options.backend ?? config.backend
  const days = new PresentDays(config.markets)
  return {
    backend,
    config,
    env,
    brokers: enabledBrokers(config, days.now),
    days,
    home: homeFolder(options.home ?? env['TOKENKEEPER_HOME']),
    clock: clockOf(backend, env['TOKENKEEPER_NOW']),
    hosts: replacedHosts(config, env),
    proxy: proxySettings(env),
  }
}

/** The composition root of the command line. `alert` prints what the local backend tells people. */
export async function compose(
  options: GlobalOptions,
  terminal: Terminal,
  alert: (text: string) => void = terminal.alert,
): Promise<Composition> {
  const setting = await readSetting(options)
  const http = httpOnDemand(setting.proxy)
  const level = terminal.verbose ? 'info' : 'error'
  const { localTelemetry } = await import('../../local/local-telemetry.ts')
  const common = {
    http,
    clock: setting.clock,
    hosts: setting.hosts,
    allowHttpHosts: setting.config.allowHttpHosts,
    telemetry: localTelemetry(terminal.note, level),
  }
  const backend =
    setting.backend === 'aws'
      ? (await import('./aws-backend.ts')).awsBackend(setting, common)
      : (await import('./local-backend.ts')).localBackend(setting, common, { alert, note: terminal.note })
  return {
    ...setting,
    ...backend,
    async close() {
      await Promise.all([backend.close(), http.close()])
    },
  }
}

function clockOf(backend: 'local' | 'aws', now: string | undefined): Clock {
  if (now === undefined || now === '') return systemClock
  if (backend === 'aws') {
    throw new ConfigurationError('TOKENKEEPER_NOW is set, but AWS runs on the real time only', {
      fix: 'unset TOKENKEEPER_NOW, or use --backend local',
    })
  }
  try {
    return clockStartingAt(Temporal.Instant.from(now))
  } catch (cause) {
    throw new ConfigurationError('TOKENKEEPER_NOW is no instant', {
      cause,
      fix: 'write ISO 8601 with an offset, such as 2026-11-23T07:00:00+05:30',
    })
  }
}
