import { Temporal } from 'temporal-polyfill'
import { type BrokerConfig, type Config, enabledBrokers } from '../../config.ts'
import { httpOnDemand } from '../../http/http-on-demand.ts'
import { type ProxySettings, proxySettings } from '../../http/proxy-settings.ts'
import type { AccountId } from '../../model/account-id.ts'
import { ConfigurationError } from '../../model/errors.ts'
import type { RunReport } from '../../model/outcome.ts'
import type { ApiKeys } from '../../ports/api-keys.ts'
import type { Broker } from '../../ports/broker.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LoginDesk } from '../../ports/login-desk.ts'
import type { Ports } from '../../ports/ports.ts'
import { clockStartingAt, systemClock } from '../../system-clock.ts'
import type { Progress } from '../../tokens/refresh/run.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { readConfigFile } from './config-file.ts'
import { replacedHosts } from './hosts.ts'

/** The options every command has. */
export interface GlobalOptions {
  readonly backend?: 'local' | 'aws'
  readonly config?: string
  readonly home?: string
  readonly json?: boolean
  readonly ascii?: boolean
  readonly verbose?: boolean
}

export type Environment = Readonly<Record<string, string | undefined>>

export interface EnabledBroker {
  readonly broker: Broker
  readonly settings: BrokerConfig
}

/** A run over accounts of one broker, on whichever backend does the writing. */
export interface RunOrder {
  readonly broker: EnabledBroker
  /** @default - all of the broker's */
  readonly accounts?: readonly AccountId[] | undefined
  readonly forcedAt?: Temporal.Instant | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** The adapters of one backend, ready for use. */
export interface Backend {
  readonly ports: Ports
  run(order: RunOrder): Promise<RunReport>
  /** The keys programs present to the REST interface. */
  readonly apiKeys: ApiKeys
  /** Where logins begin and end: in this process, or in the brokers' functions. */
  readonly desk: LoginDesk
  /** The login page's address without a slash at its end; `undefined` where the stack has none. Throws ConfigurationError. */
  siteUrl(): Promise<string | undefined>
  /** Why nothing can be recorded here; absent where all is well. */
  readonly unwritable?: { readonly says: string; readonly fix: string } | undefined
  close(): Promise<void>
}

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

/** What must be known before any adapter is made; `doctor` looks at each part of it by itself. */
export interface Setting {
  readonly backend: 'local' | 'aws'
  readonly config: Config
  readonly brokers: readonly EnabledBroker[]
  readonly env: Environment
  readonly home: string
  readonly clock: Clock
  readonly hosts: Readonly<Record<string, string>>
  /** Through which brokers are reached. */
  readonly proxy: ProxySettings
}

/** Reads the configuration and the environment. Throws ConfigurationError. */
export async function readSetting(options: GlobalOptions, env: Environment = process.env): Promise<Setting> {
  const { homeFolder } = await import('./local-backend.ts')
  const config = readConfigFile(options.config)
  const backend = options.backend ?? config.backend
  return {
    backend,
    config,
    env,
    brokers: enabledBrokers(config),
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
