import type { Temporal } from 'temporal-polyfill'
import type { AccountState } from '../../model/account-state.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import { brokerContext, type RunContext } from './broker-context.ts'

/** An account whose record and secrets were read, with what its adapter may use. */
export interface OpenAccount {
  readonly broker: Broker
  readonly state: AccountState
  readonly stored: StoredSecrets
  readonly context: RunContext
  readonly ports: Ports
}

export interface Opening {
  readonly broker: Broker
  readonly state: AccountState
  readonly stored: StoredSecrets
  /** No broker call is made after this instant. */
  readonly deadline: Temporal.Instant
  /**
   * Extends the lease, for what must not be lost; returns the last instant for a write. @default - the lease
   * is not extended
   */
  readonly moreTime?: () => Promise<Temporal.Instant>
}

/** Puts an account that was read together with the context its adapter uses. */
export function openAccount({ deadline, moreTime, ...read }: Opening, ports: Ports): OpenAccount {
  const { broker, stored } = read
  const { account, settings, totpStep } = read.state
  const context = brokerContext({ broker, account, settings, stored, deadline, totpStep, moreTime }, ports)
  return { ...read, context, ports }
}
