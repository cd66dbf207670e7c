import type { AccountState, StateChanges } from '../../model/account-state.ts'
import { assertPlausibleToken } from '../../model/plausible.ts'
import { isWorthKeeping } from '../../model/worth-keeping.ts'
import type { Broker } from '../../ports/broker.ts'
import type { Renewal } from '../../ports/broker-context.ts'
import type { Ports } from '../../ports/ports.ts'
import type { Lease } from '../lease/lease.ts'
import type { RunContext } from '../refresh/broker-context.ts'
import { keepPending } from '../refresh/pending.ts'
import { assertSameUser, provePublish, proveWithRepeats, saveRotated } from '../refresh/publish.ts'
import { LIFTED_BY_A_PERSON } from '../rules/lifted.ts'

export interface LoginToken {
  readonly source: 'login' | 'approval'
  /** Whether it is kept where it cannot be proven yet. @default true */
  readonly mayKeep?: boolean
}

export interface PublishedLogin {
  /** What to record, whatever became of it. */
  readonly changes: StateChanges
  /** Why nothing was published; absent when it was. */
  readonly error?: unknown
  /** The token is kept: the next run proves and publishes it. */
  readonly kept?: true
}

/**
 * Takes what a person's login gave to the consumers. Unlike a renewal's, its tokens can be somebody else's: the
 * refresh token is written first only where the reply itself names the right user. Where it names nobody the
 * access token is proven before anything is written, since a stranger's refresh token must not replace ours.
 */
export async function publishLogin(
  broker: Broker,
  lease: Lease,
  renewal: Renewal,
  context: RunContext,
  ports: Ports,
  { source, mayKeep = true }: LoginToken,
): Promise<PublishedLogin> {
  const { state } = lease
  let saved: StateChanges = {}
  let unsaved = renewal
  try {
    const { refreshToken, userId } = renewal
    if (userId !== undefined) assertSameUser(state, { userId })
    const known =
      refreshToken && userId === undefined ? await provenFirst(broker, state, renewal, context) : renewal
    saved = await saveRotated(broker, state, known, context, ports)
    const { refreshToken: _saved, ...rest } = known
    unsaved = rest
    const published = await provePublish(broker, state, known, context, ports, source)
    return { changes: { ...saved, ...published, ...LIFTED_BY_A_PERSON, authorizedAt: renewal.sentAt } }
  } catch (error) {
    // A person's login is not thrown away because the broker's profile does not answer for a moment (I10).
    if (!isWorthKeeping(error) || !mayKeep) return { changes: saved, error }
    const kept = await keepPending({ renewal: unsaved, source }, lease, saved, ports)
    return { changes: { ...saved, ...kept }, error, ...(kept.pending && { kept: true }) }
  }
}

async function provenFirst(
  broker: Broker,
  state: AccountState,
  renewal: Renewal,
  context: RunContext,
): Promise<Renewal> {
  assertPlausibleToken(renewal.accessToken, 'access token')
  const proof = renewal.proof ?? (await proveWithRepeats(broker, context, renewal.accessToken))
  assertSameUser(state, proof)
  return { ...renewal, proof }
}
