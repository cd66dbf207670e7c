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
import type { Secret } from '../../model/secrets/secret.ts'
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

/** A token that is handed in, and the account it is for. */
export interface Adoption {
  readonly broker: Broker
  readonly account: AccountId
  readonly accessToken: Secret
  /**
   * When the token dies, as the person or program that hands it in says. The broker's own rules count too;
   * the earliest instant wins.
   */
  readonly expiresAt?: Temporal.Instant | undefined
}

/**
 * Adopts an access token that somebody hands in: proves it with the broker, compares its owner with the
 * pinned user, and only then publishes it. When anything is wrong, the published token stays as it was.
 *
 * Throws ConfigurationError for an unknown account, missing credentials or a broker that can prove no token;
 * BusyError while another run holds the account; GrantRejectedError for a dead token; UnexpectedResponseError
 * for a text that is no token; WrongAccountError for another user's; and what the stores throw.
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
    // Where the broker keeps one session, the login that minted this token has ended the published one.
    return { write: noteDoubt(broker, state, { by: 'given', at: notedAt }) }
  }
  return underLease({ broker, account, times: ADOPTION, prepare }, ports, async (tx) => {
    try {
      await tx.readSecrets()
      const renewal = { accessToken, sentAt: ports.clock.now(), ...(expiresAt && { expiresAt }) }
      // Blocked grants stay blocked: a token handed in says nothing about a PIN that was refused.
      await saveProvePublish(tx, { renewal, source: 'given' })
    } catch (error) {
      if (isNoneOfOurs(error)) tx.note(withdrawDoubt(tx.before, notedAt))
      // No run knows of this token, so the advice is to hand it in again.
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

/**
 * Whether what was handed in is dead, another user's or no token: then it has not ended the published one.
 */
function isNoneOfOurs(error: unknown): boolean {
  const isNoToken = error instanceof UnexpectedResponseError && error.status === undefined
  return error instanceof GrantRejectedError || error instanceof WrongAccountError || isNoToken
}
