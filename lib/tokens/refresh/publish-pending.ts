import type { AccountState, StateChanges } from '../../model/account-state.ts'
import {
  BrokerUnavailableError,
  GrantRejectedError,
  RateLimitedError,
  TokenkeeperError,
  WAIT_FOR_RUN,
} from '../../model/errors.ts'
import { isWorthKeeping } from '../../model/worth-keeping.ts'
import { type Ending, endingOfError, leftAlone } from '../rules/ending.ts'
import { LIFTED_BY_A_PERSON, liftedByGrant } from '../rules/lifted.ts'
import { answered } from '../rules/open-approval.ts'
import { type Pending, pendingIn } from '../rules/pending-token.ts'
import type { Climb, Tried } from './climb.ts'
import { dropPending } from './pending.ts'
import { assertSameUser, provePublish, proveWithRepeats, saveRotated } from './publish.ts'

/** Proves and publishes the token an earlier run or login had to keep; one that is refused is gone for good. */
export async function publishPending(climb: Climb, state: AccountState): Promise<Tried> {
  const { broker, context, stored, ports } = climb
  const pending = pendingIn(stored, state, ports.clock.now())
  if (!pending) throw new Error('there is no pending token to publish')
  const { renewal, source } = pending
  let saved: StateChanges = {}
  try {
    let proven = renewal
    if (renewal.refreshToken) {
      const proof = await proveWithRepeats(broker, context, renewal.accessToken)
      assertSameUser(state, proof)
      saved = await saveRotated(broker, state, renewal, context, ports)
      // Not asked twice: a broker may allow one probe a minute.
      proven = { ...renewal, proof }
    }
    const kept = { ...state, pending: { mintedAt: renewal.sentAt, source } }
    const found = await provePublish(broker, kept, proven, context, ports, source)
    return { published: true, changes: { ...saved, ...found, ...liftedBy(pending, state, climb) } }
  } catch (error) {
    if (isWorthKeeping(error)) {
      const { mintedAt } = state.pending ?? { mintedAt: renewal.sentAt }
      const wait = error instanceof RateLimitedError && leftAlone(error, ports.clock.now())
      return { published: false, error, changes: { ...saved, ...wait, pending: { mintedAt, source } } }
    }
    ports.telemetry.warn('a minted access token was refused when it was proven', {
      account: state.account,
      code: error instanceof TokenkeeperError ? error.code : 'response_unexpected',
    })
    // Its only copy may be the one kept here. The owner of what it brings is compared, should it be another's after all.
    const isOnly = error instanceof GrantRejectedError && !stored.has('refresh_token')
    if (isOnly) saved = { ...saved, ...(await saveRotated(broker, state, renewal, context, ports)) }
    await dropPending(state.account, ports)
    climb.stored = new Map([...stored].filter(([name]) => name !== 'pending'))
    return { published: false, error, changes: { ...saved, pending: undefined } }
  }
}

/** A token that was kept and is published or gone by now is kept no longer. */
export async function withoutLeftovers({ lease, stored, ports }: Climb): Promise<StateChanges> {
  const { state } = lease
  if (pendingIn(stored, state, ports.clock.now())) return {}
  if (stored.has('pending')) await dropPending(state.account, ports)
  return state.pending ? { pending: undefined } : {}
}

function liftedBy({ renewal, source }: Pending, state: AccountState, { broker, ports }: Climb): StateChanges {
  if (source !== 'login' && source !== 'approval') return liftedByGrant(broker, source, state)
  const { approval } = state
  return {
    ...LIFTED_BY_A_PERSON,
    authorizedAt: renewal.sentAt,
    ...(source === 'approval' && approval && { approval: answered(approval, ports.clock.now()) }),
  }
}

/** How a run ends whose token is kept: it is proven again before any other is asked for. */
export function endOfKept(climb: Climb, error: unknown): Ending {
  const ending = endingOfError(error, climb.lease.state.account, climb.ports.clock.now())
  const reason = `a new access token was issued and is kept, but could not be published yet: ${ending.reason}`
  return { ...ending, reason, ...(ending.need && { need: { ...ending.need, reason } }) }
}

/** How a run ends whose kept access token has died, and has left a refresh token: it is tried at once. */
export function endOfSaved({ lease, ports }: Climb): Ending {
  const died = new BrokerUnavailableError('the kept access token has died, and its refresh token was saved', {
    fix: WAIT_FOR_RUN,
  })
  return endingOfError(died, lease.state.account, ports.clock.now())
}
