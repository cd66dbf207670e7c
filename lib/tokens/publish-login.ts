import type { Broker, Renewal } from '../ports/broker.ts'
import type { Ports } from '../ports/ports.ts'
import type { AccountState, StateChanges } from './account-state.ts'
import type { RunContext } from './broker-context.ts'
import { assertPlausibleToken } from './plausible.ts'
import { assertSameUser, provePublish, proveWithRepeats, saveRotated } from './publish.ts'

/**
 * What a person's token lifts. A block or a lost reply of a grant is not among it: a password that was refused stays
 * refused, and a refresh token that may be spent stays so, until another one is stored, which a login often does.
 */
const LIFTED_BY_A_PERSON: StateChanges = {
  notBefore: undefined,
  loginNotBefore: undefined,
  refusedVersion: undefined,
}

export interface PublishedLogin {
  /** What to record, whatever became of it. */
  readonly changes: StateChanges
  /** Why nothing was published; absent when it was. */
  readonly error?: unknown
}

/**
 * Takes what a person's login gave to the consumers. Unlike a renewal's, its tokens can be somebody else's: the
 * refresh token is written first only where the reply itself names the right user. Where it names nobody the
 * access token is proven before anything is written, since a stranger's refresh token must not replace ours.
 */
export async function publishLogin(
  broker: Broker,
  state: AccountState,
  renewal: Renewal,
  context: RunContext,
  ports: Ports,
  source: 'login' | 'approval',
): Promise<PublishedLogin> {
  let saved: StateChanges = {}
  try {
    const { refreshToken, userId } = renewal
    if (userId !== undefined) assertSameUser(state, { userId })
    const known =
      refreshToken && userId === undefined ? await provenFirst(broker, state, renewal, context) : renewal
    saved = await saveRotated(broker, state, known, context, ports)
    const published = await provePublish(broker, state, known, context, ports, source)
    return { changes: { ...saved, ...published, ...LIFTED_BY_A_PERSON, authorizedAt: renewal.sentAt } }
  } catch (error) {
    return { changes: saved, error }
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
