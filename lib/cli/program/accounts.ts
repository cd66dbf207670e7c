import type { TokenSource } from '../../client/sources/token-source.ts'
import type { TradingSession } from '../../ports/broker/broker.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ServiceRefusal, Validation } from '../../ports/token-service.ts'
import type { WishOptions } from '../accounts/account-arguments.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import type { KnownToken } from './known-token.ts'

/** One account as a program sees it. */
export interface ProgramAccount {
  readonly source: TokenSource
  /** The sessions of its own markets, where its record can be read; else of its broker's. */
  readonly session: TradingSession | undefined
  /** Whether the record says that no program should use the published token, where there is a record to be read. */
  flaw(): Promise<'paused' | 'refused' | undefined>
  /** What is known of its token; the broker is not asked. Throws TokenUnavailableError, or what the stores throw. */
  knownToken(): Promise<KnownToken>
  /** Asks the broker, and renews nothing. */
  validate(): Promise<Validation | ServiceRefusal>
}

export interface ProgramAccounts {
  readonly clock: Clock
  /** In the order they were named in. */
  readonly accounts: readonly ProgramAccount[]
  close(): Promise<void>
}

/** What the commands for programs that use tokens have in common. */
export interface ProgramOptions extends GlobalOptions, WishOptions {
  readonly minValidFor?: string
  readonly until?: 'close'
  readonly url?: string
}
