import type { AccountState } from '../../../lib/model/account-state.ts'
import type { SecretName } from '../../../lib/model/secrets/secret-name.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { OneSessionSimulator } from './one-session-simulator.ts'

/** Which of our own stores and services fails in the act, beside the broker. */
export type Outage = 'vault' | 'notifier' | 'records'

/** What is so of the account, whatever our records and messages say. */
export interface WatchedAccount {
  readonly broker: Broker
  readonly simulator: OneSessionSimulator
  /** How many writes still fail, and whose. */
  readonly outage: { readonly of: Outage; left: number } | undefined
  record(): Promise<AccountState>
  stored(name: SecretName): Promise<string | undefined>
  /** What the broker would say of the token that consumers read. */
  isLive(): Promise<boolean>
}
