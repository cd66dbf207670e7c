import type { AccountState, StateChanges } from '../../model/account-state.ts'
import { GrantRejectedError, TokenkeeperError, WrongAccountError } from '../../model/errors.ts'
import { ONCE } from '../../model/repeat.ts'
import type { Broker } from '../../ports/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import { isProvable } from '../rules/provable.ts'
import type { RunContext } from './broker-context.ts'
import { proveStored } from './publish.ts'

/** What a probe of the published token needs. */
export interface Probe {
  readonly broker: Broker
  readonly stored: StoredSecrets
  readonly context: RunContext
  readonly ports: Ports
}

/** Proves the stored access token; either verdict is something to record. Throws what is no verdict on the token. */
export async function probe(
  { broker, stored, context, ports }: Probe,
  state: AccountState,
  pausesMs?: readonly number[],
): Promise<StateChanges> {
  const settled: StateChanges = state.ambiguous ? { ambiguous: { ...state.ambiguous, probed: true } } : {}
  try {
    return { ...(await proveStored(broker, state, stored, context, ports, pausesMs)), ...settled }
  } catch (error) {
    if (!(error instanceof TokenkeeperError) || error.retryable) throw error
    const version = stored.get('access_token')?.version
    const isVerdict = error instanceof GrantRejectedError || error instanceof WrongAccountError
    // What we have published and proven is not given up because the broker objects to something else.
    if (version === state.accessToken?.version && !isVerdict) throw error
    ports.telemetry.warn('the stored access token was refused', {
      account: state.account,
      version,
      code: error.code,
    })
    return { ...settled, doubt: undefined, ...(version !== undefined && { refusedVersion: version }) }
  }
}

/**
 * Asks the broker at once whether what was sent has ended the published token. What comes to no verdict, after one
 * attempt, leaves the doubt to the next run. Never throws.
 */
export async function settleDoubt(task: Probe, state: AccountState): Promise<StateChanges> {
  const isPublished = state.accessToken?.version === task.stored.get('access_token')?.version
  if (!state.doubt || !isPublished || !isProvable(task.broker, state)) return {}
  return probe(task, state, ONCE).catch(() => ({}))
}
