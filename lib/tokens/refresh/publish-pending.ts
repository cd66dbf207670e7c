import type { StateChanges } from '../../model/account-state.ts'
import {
  BrokerUnavailableError,
  GrantRejectedError,
  RateLimitedError,
  TokenkeeperError,
  WAIT_FOR_RUN,
} from '../../model/errors.ts'
import { isWorthKeeping } from '../../model/secrets/worth-keeping.ts'
import { leftAlone } from '../rules/grants/attempt.ts'
import { LIFTED_BY_A_PERSON, liftedByGrant } from '../rules/grants/lifted.ts'
import { type RunResult, resultOfError } from '../rules/outcome/run-result.ts'
import { answered } from '../rules/token/open-approval.ts'
import { type Pending, pendingIn } from '../rules/token/pending-token.ts'
import type { Transaction } from '../transaction/transaction.ts'
import { dropPending } from './pending.ts'
import { assertSameUser, provePublish, proveWithRepeats, saveRotated } from './publish.ts'
import type { Tried } from './tried.ts'

/**
 * Proves and publishes the pending token of an earlier run or login; one that is refused is dropped for good.
 * Errors are returned, except those of saving its refresh token after a refusal.
 */
export async function publishPending(tx: Transaction): Promise<Tried> {
  const { account, ports, state, stored } = tx
  const pending = pendingIn(stored, state, ports.clock.now())
  if (!pending) throw new Error('there is no pending token to publish')
  const { renewal, source } = pending
  const { mintedAt } = state.pending ?? { mintedAt: renewal.sentAt }
  let hasSaved = false
  try {
    let proven = renewal
    if (renewal.refreshToken) {
      const proof = await proveWithRepeats(tx, renewal.accessToken)
      assertSameUser(state, proof)
      await saveRotated(tx, renewal)
      hasSaved = true
      // The proof is passed on, since a broker may allow only one probe a minute.
      proven = { ...renewal, proof }
    }
    tx.note({ pending: { mintedAt, source } })
    await provePublish(tx, { renewal: proven, source })
    tx.note(liftedBy(pending, tx))
    return { published: true }
  } catch (error) {
    if (isWorthKeeping(error)) {
      if (error instanceof RateLimitedError) tx.note(leftAlone(error, ports.clock.now()))
      tx.note({ pending: { mintedAt, source } })
      return { published: false, error }
    }
    ports.telemetry.warn('a minted access token was refused when it was proven', {
      account,
      code: error instanceof TokenkeeperError ? error.code : 'response_unexpected',
    })
    // This may be the only copy of the refresh token, so it is saved. What it brings is compared with the
    // pinned user later, in case it is somebody else's.
    if (error instanceof GrantRejectedError && !hasSaved && !stored.has('refresh_token')) {
      await saveRotated(tx, renewal)
      hasSaved = renewal.refreshToken !== undefined
    }
    await dropPending(tx)
    tx.forget('pending')
    tx.note({ pending: undefined })
    return { published: false, error, hasSaved }
  }
}

/** Removes a pending token that was published meanwhile or is gone. */
export async function withoutLeftovers(tx: Transaction): Promise<void> {
  const { state, stored, ports } = tx
  if (pendingIn(stored, state, ports.clock.now())) return
  if (stored.has('pending')) await dropPending(tx)
  if (state.pending) tx.note({ pending: undefined })
}

function liftedBy({ renewal, source }: Pending, { broker, ports, state }: Transaction): StateChanges {
  if (source !== 'login' && source !== 'approval') return liftedByGrant(broker, source, state)
  const { approval } = state
  return {
    ...LIFTED_BY_A_PERSON,
    authorizedAt: renewal.sentAt,
    ...(source === 'approval' && approval && { approval: answered(approval, ports.clock.now()) }),
  }
}

/** How a run ends whose token is pending: it is proven again before any other is requested. */
export function endOfKept({ account, ports }: Transaction, error: unknown): RunResult {
  const result = resultOfError(error, account, ports.clock.now())
  const reason = `a new access token was issued and is kept, but could not be published yet: ${result.reason}`
  return { ...result, reason, ...(result.need && { need: { ...result.need, reason } }) }
}

/**
 * How a run ends whose pending access token has died but brought a refresh token: that one is tried at once.
 */
export function endOfSaved({ account, ports }: Transaction): RunResult {
  const died = new BrokerUnavailableError('the kept access token has died, and its refresh token was saved', {
    fix: WAIT_FOR_RUN,
  })
  return resultOfError(died, account, ports.clock.now())
}
