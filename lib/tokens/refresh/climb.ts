import type { Temporal } from 'temporal-polyfill'
import type { RefusedToken, StateChanges } from '../../model/account-state.ts'
import type { Broker } from '../../ports/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import type { Lease } from '../lease/lease.ts'
import type { RunContext } from './broker-context.ts'

/** One account's work under its lease. */
export interface Climb {
  readonly broker: Broker
  readonly lease: Lease
  stored: StoredSecrets
  readonly context: RunContext
  readonly forcedAt: Temporal.Instant | undefined
  readonly refused: RefusedToken | undefined
  readonly ports: Ports
}

/** How one step of the ladder went. */
export type Tried =
  | { readonly published: true; readonly changes: StateChanges }
  | { readonly published: false; readonly changes: StateChanges; readonly error: unknown }
