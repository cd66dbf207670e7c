import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import type { AccountState } from '../../model/account-state.ts'
import {
  GrantRejectedError,
  TokenkeeperError,
  UnexpectedResponseError,
  WrongAccountError,
} from '../../model/errors.ts'
import type { AccountResult } from '../../model/outcome.ts'
import type { Secret } from '../../model/secret.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import type { Prepared } from '../lease/acquire-lease.ts'
import { saveProvePublish } from '../refresh/publish.ts'
import { reportLine } from '../rules/outcome/report-line.ts'
import { noteDoubt, withdrawDoubt } from '../rules/token/doubt.ts'
import { assertProvable } from '../rules/token/provable.ts'
import { ADOPTION } from '../transaction/times.ts'
import { underLease } from '../transaction/under-lease.ts'
import { slipIn } from './handed-in.ts'

const HAND_IN_AGAIN = 'hand it in again in a moment: nothing of it was stored'
const REASON = 'an access token was handed in and proved live'

export interface Adoption {
  readonly broker: Broker
  readonly account: AccountId
  readonly accessToken: Secret
  /** When the token dies, as whoever hands it in says; the broker's own rules count too, the earliest wins. */
  readonly expiresAt?: Temporal.Instant | undefined
}

/**
 * Takes an access token that somebody hands in: proves it with the broker, compares its owner with the pinned
 * user and only then publishes it. When anything is wrong, what was published stays as it was.
 *
 * Throws ConfigurationError for an unknown account or missing credentials, BusyError while another run
 * holds the account, GrantRejectedError for a dead token, UnexpectedResponseError for what is no token,
 * WrongAccountError for another user's, and what the stores throw.
 */
export async function adoptAccessToken(adoption: Adoption, ports: Ports): Promise<AccountResult> {
  const { broker, account, accessToken, expiresAt } = adoption
  const slip = slipIn(accessToken)
  if (slip) {
    const what = `what was handed in is no token as it stands: ${slip.what}`
    throw new UnexpectedResponseError(what, {
      field: 'access_token',
      fix: `${slip.fix}, and hand it in again`,
    })
  }
  let notedAt: Temporal.Instant | undefined
  const prepare = (state: AccountState): Prepared<AccountResult> => {
    assertProvable(broker, state)
    notedAt = ports.clock.now()
    // Whoever minted it has ended ours by that, where the broker keeps one session.
    return { write: noteDoubt(broker, state, { by: 'given', at: notedAt }) }
  }
  return underLease({ broker, account, times: ADOPTION, prepare }, ports, async (tx) => {
    try {
      await tx.readSecrets()
      const renewal = { accessToken, sentAt: ports.clock.now(), ...(expiresAt && { expiresAt }) }
      // Blocked grants stay blocked: a token from elsewhere says nothing about a PIN that was refused.
      await saveProvePublish(tx, { renewal, source: 'given' })
    } catch (error) {
      if (isNoneOfOurs(error)) tx.note(withdrawDoubt(tx.before, notedAt))
      // No run knows of this token: nobody tries again but whoever has it.
      throw error instanceof TokenkeeperError ? error.advising(HAND_IN_AGAIN) : error
    }
    const now = ports.clock.now()
    return {
      result: reportLine(broker, tx.state, { outcome: 'refreshed', reason: REASON }, now),
      people: 'solved',
      last: { at: now, outcome: 'refreshed', reason: REASON },
    }
  })
}

/** What was handed in is dead, another user's, or no token at all: it has ended nothing. */
function isNoneOfOurs(error: unknown): boolean {
  const isNoToken = error instanceof UnexpectedResponseError && error.status === undefined
  return error instanceof GrantRejectedError || error instanceof WrongAccountError || isNoToken
}
