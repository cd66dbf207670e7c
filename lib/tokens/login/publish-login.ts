import { assertPlausibleToken } from '../../model/secrets/plausible.ts'
import { isWorthKeeping } from '../../model/secrets/worth-keeping.ts'
import type { Renewal } from '../../ports/broker/broker-context.ts'
import { keepPending } from '../refresh/pending.ts'
import { assertSameUser, provePublish, proveWithRepeats, saveRotated } from '../refresh/publish.ts'
import { LIFTED_BY_A_PERSON } from '../rules/grants/lifted.ts'
import type { Transaction } from '../transaction/transaction.ts'

/** A token that a login or an approval brought. */
export interface LoginToken {
  readonly renewal: Renewal
  readonly source: 'login' | 'approval'
  /** Whether the token is kept as pending where it cannot be proven yet. @default true */
  readonly mayKeep?: boolean
}

/** How the publication of a login's token ended; what is to be recorded was noted. */
export interface PublishedLogin {
  /** Why nothing was published; absent when it was. */
  readonly error?: unknown
  /** The token is pending: the next run proves and publishes it. */
  readonly kept?: true
}

/**
 * Publishes the tokens of a person's login. Unlike a renewal's they can be somebody else's, so the refresh
 * token is written first only where the reply names the pinned user. Where it names nobody, the access token
 * is proven before anything is written: a stranger's refresh token must not replace ours. Never throws.
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
    // The broker may fail to prove the token for a moment: the person's login is kept for the next run (I10).
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
