import type { StateChanges } from '../../model/account-state.ts'
import { GrantRejectedError, TokenkeeperError, WrongAccountError } from '../../model/errors.ts'
import { ONCE } from '../../model/repeat.ts'
import { isProvable } from '../rules/token/provable.ts'
import type { OpenAccount } from '../transaction/open-account.ts'
import { proveStored } from './publish.ts'

/**
 * Proves the stored access token and returns what to record of the verdict, live or refused. Throws errors
 * that are no verdict.
 */
export async function probe(account: OpenAccount, pausesMs?: readonly number[]): Promise<StateChanges> {
  const { ports, state, stored } = account
  const settled: StateChanges = state.ambiguous ? { ambiguous: { ...state.ambiguous, probed: true } } : {}
  try {
    return { ...(await proveStored(account, pausesMs)), ...settled }
  } catch (error) {
    if (!(error instanceof TokenkeeperError) || error.retryable) throw error
    const version = stored.get('access_token')?.version
    const isVerdict = error instanceof GrantRejectedError || error instanceof WrongAccountError
    // A token that we published and proved is not given up because of any other error.
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
 * Asks the broker whether what was sent has ended the published token, with one attempt. Where that gives no
 * verdict, the doubt is left to the next run. Never throws.
 */
export async function settleDoubt(account: OpenAccount): Promise<StateChanges> {
  const { broker, state, stored } = account
  const isPublished = state.accessToken?.version === stored.get('access_token')?.version
  if (!state.doubt || !isPublished || !isProvable(broker, state)) return {}
  return probe(account, ONCE).catch(() => ({}))
}
