import { assertPlausibleToken } from '../../model/plausible.ts'
import { isWorthKeeping } from '../../model/worth-keeping.ts'
import type { Renewal } from '../../ports/broker/broker-context.ts'
import { keepPending } from '../refresh/pending.ts'
import { assertSameUser, provePublish, proveWithRepeats, saveRotated } from '../refresh/publish.ts'
import { LIFTED_BY_A_PERSON } from '../rules/grants/lifted.ts'
import type { Transaction } from '../transaction/transaction.ts'

export interface LoginToken {
  readonly renewal: Renewal
  readonly source: 'login' | 'approval'
  /** Whether it is kept where it cannot be proven yet. @default true */
  readonly mayKeep?: boolean
}

/** How a login's token fared; what it left is noted. */
export interface PublishedLogin {
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
export async function publishLogin(tx: Transaction, token: LoginToken): Promise<PublishedLogin> {
  const { renewal, source, mayKeep = true } = token
  let unsaved = renewal
  try {
    const { refreshToken, userId } = renewal
    if (userId !== undefined) assertSameUser(tx.state, { userId })
    const known = refreshToken && userId === undefined ? await provenFirst(tx, renewal) : renewal
    await saveRotated(tx, known)
    const { refreshToken: _saved, ...rest } = known
    unsaved = rest
    await provePublish(tx, { renewal: known, source })
    tx.note({ ...LIFTED_BY_A_PERSON, authorizedAt: renewal.sentAt })
    return {}
  } catch (error) {
    // A person's login is not thrown away because the broker's profile does not answer for a moment (I10).
    if (!isWorthKeeping(error) || !mayKeep) return { error }
    const kept = await keepPending(tx, { renewal: unsaved, source })
    return { error, ...(kept && { kept }) }
  }
}

async function provenFirst(tx: Transaction, renewal: Renewal): Promise<Renewal> {
  assertPlausibleToken(renewal.accessToken, 'access token')
  const proof = renewal.proof ?? (await proveWithRepeats(tx, renewal.accessToken))
  assertSameUser(tx.state, proof)
  return { ...renewal, proof }
}
