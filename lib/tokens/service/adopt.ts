import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import type { AccountState, StateChanges } from '../../model/account-state.ts'
import {
  GrantRejectedError,
  TokenkeeperError,
  UnexpectedResponseError,
  WrongAccountError,
} from '../../model/errors.ts'
import type { AccountResult } from '../../model/outcome.ts'
import type { Secret } from '../../model/secret.ts'
import type { Broker } from '../../ports/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import { acquireLease } from '../lease/acquire-lease.ts'
import { readStored } from '../lease/read-stored.ts'
import { untilRecorded } from '../lease/until-recorded.ts'
import { brokerContext, type RunContext } from '../refresh/broker-context.ts'
import { saveProvePublish } from '../refresh/publish.ts'
import { noteDoubt, withdrawDoubt } from '../rules/doubt.ts'
import { assertProvable } from '../rules/provable.ts'
import { resultOf } from '../rules/result.ts'
import { announce } from '../tell/announce.ts'
import { tell } from '../tell/incident.ts'
import { slipIn } from './handed-in.ts'

const HAND_IN_AGAIN = 'hand it in again in a moment: nothing of it was stored'
const REASON = 'an access token was handed in and proved live'

export interface Adoption {
  readonly broker: Broker
  readonly account: AccountId
  readonly accessToken: Secret
  /** When the token dies, as whoever hands it in says; the broker's own rules count too, the earliest wins. */
  readonly expiresAt?: Temporal.Instant | undefined
  /** Names this piece of work; no two share it. */
  readonly owner: string
  /** No broker call is made after this instant. */
  readonly deadline: Temporal.Instant
  /** When this process is dead for sure; the lease ends here. */
  readonly leaseUntil: Temporal.Instant
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
  const { broker, account } = adoption
  const { owner, leaseUntil: until } = adoption
  const slip = slipIn(adoption.accessToken)
  if (slip) {
    const what = `what was handed in is no token as it stands: ${slip.what}`
    throw new UnexpectedResponseError(what, {
      field: 'access_token',
      fix: `${slip.fix}, and hand it in again`,
    })
  }
  let notedAt: Temporal.Instant | undefined
  const lease = await acquireLease({ broker, account, owner, until, patienceSeconds: 0 }, ports, (state) => {
    assertProvable(broker, state)
    notedAt = ports.clock.now()
    // Whoever minted it has ended ours by that, where the broker keeps one session.
    return noteDoubt(broker, state, { by: 'given', at: notedAt })
  })
  let changes: StateChanges = {}
  let context: RunContext | undefined
  try {
    const { settings, totpStep } = lease.state
    const stored = await readStored(ports, broker, lease.state)
    context = brokerContext(
      { broker, account, settings, stored, deadline: adoption.deadline, totpStep },
      ports,
    )
    const given = {
      accessToken: adoption.accessToken,
      sentAt: ports.clock.now(),
      ...(adoption.expiresAt && { expiresAt: adoption.expiresAt }),
    }
    // Blocked grants stay blocked: a token from elsewhere says nothing about a PIN that was refused.
    const published = await saveProvePublish(broker, lease.state, given, context, ports, 'given')
    const last = { at: ports.clock.now(), outcome: 'refreshed', reason: REASON } as const
    changes = { ...published, refusedVersion: undefined, last }
    const incident = await tell(
      broker,
      { ...lease.state, ...(changes as Partial<AccountState>) },
      undefined,
      ports,
    )
    changes = { ...changes, incident }
  } catch (error) {
    if (isNoneOfOurs(error)) changes = { ...changes, ...withdrawDoubt(lease.state, notedAt) }
    // No run knows of this token: nobody tries again but whoever has it.
    throw error instanceof TokenkeeperError ? error.advising(HAND_IN_AGAIN) : error
  } finally {
    let released = false
    try {
      released = await untilRecorded(() => lease.release(changes), until, ports.clock)
    } finally {
      // A paused account is out of the mirrors, whoever hands in a token for later.
      if (!lease.state.paused) await announce(context?.publications() ?? [], ports)
    }
    if (!released) ports.telemetry.warn('another run took over before the outcome was recorded', { account })
  }
  return resultOf(broker, lease.state, { outcome: 'refreshed', reason: REASON }, ports.clock.now())
}

/** What was handed in is dead, another user's, or no token at all: it has ended nothing. */
function isNoneOfOurs(error: unknown): boolean {
  const isNoToken = error instanceof UnexpectedResponseError && error.status === undefined
  return error instanceof GrantRejectedError || error instanceof WrongAccountError || isNoToken
}
