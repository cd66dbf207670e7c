import type { AccountId } from '../../model/account-id.ts'
import { type AccountState, newAccountState } from '../../model/account-state.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Composition } from '../backend/composition.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { Lines } from './lines.ts'

/** One account that is to be logged in. */
export interface LoginTask {
  readonly broker: Broker
  readonly account: AccountId
  readonly composition: Composition
  readonly terminal: Terminal
  readonly lines: Lines
  /** Whether a browser on this machine may be opened. */
  readonly opens: boolean
  /** Rejects at Ctrl-C. */
  readonly interrupted: Promise<never>
}

/** The account's record as it stands. Throws StateStoreError. */
export async function recordOf({ account, composition }: LoginTask): Promise<AccountState> {
  return (await composition.ports.states.get(account)) ?? newAccountState(account)
}
