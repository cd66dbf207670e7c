import type { Temporal } from 'temporal-polyfill'
import type { BrokerSettings } from '../../brokers/settings.ts'
import type { Config } from '../../config.ts'
import type { ProxySettings } from '../../http/proxy-settings.ts'
import type { PresentDays } from '../../markets/present-days.ts'
import type { AccountId } from '../../model/account-id.ts'
import type { RunReport } from '../../model/outcome.ts'
import type { ApiKeys } from '../../ports/api-keys.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LoginService } from '../../ports/login-service.ts'
import type { MarketDaysStore } from '../../ports/market-days.ts'
import type { Ports } from '../../ports/ports.ts'
import type { Progress } from '../../tokens/refresh/run.ts'

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
  readonly settings: BrokerSettings
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
  /** What is said of single days while all this runs. */
  readonly marketDays: MarketDaysStore
  /** Where logins begin and end: in this process, or in the brokers' functions. */
  readonly logins: LoginService
  /** The login page's address without a slash at its end; `undefined` where the stack has none. Throws ConfigurationError. */
  siteUrl(): Promise<string | undefined>
  /** Why nothing can be recorded here; absent where all is well. */
  readonly unwritable?: { readonly says: string; readonly fix: string } | undefined
  close(): Promise<void>
}

/** What must be known before any adapter is made; `doctor` looks at each part of it by itself. */
export interface Setting {
  readonly backend: 'local' | 'aws'
  readonly config: Config
  readonly brokers: readonly EnabledBroker[]
  /** What is said of single days, as the sessions of these brokers see it. */
  readonly days: PresentDays
  readonly env: Environment
  readonly home: string
  readonly clock: Clock
  readonly hosts: Readonly<Record<string, string>>
  /** Through which brokers are reached. */
  readonly proxy: ProxySettings
}
