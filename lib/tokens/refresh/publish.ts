import type { Temporal } from 'temporal-polyfill'
import type { AccessTokenRecord, AccountState, StateChanges, TokenSource } from '../../model/account-state.ts'
import {
  BrokerUnavailableError,
  TokenLostError,
  TokenVaultError,
  UnexpectedResponseError,
  WrongAccountError,
} from '../../model/errors.ts'
import { type Expiry, expiryOf, type Issued } from '../../model/expiry/session-model.ts'
import { PATIENT, repeatRead } from '../../model/repeat.ts'
import { assertPlausibleToken } from '../../model/secrets/plausible.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import { isAfter, isBefore } from '../../model/time/instants.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Proof, Renewal } from '../../ports/broker/broker-context.ts'
import { leftOpenBy, settledBy } from '../rules/token/doubt.ts'
import { answered } from '../rules/token/open-approval.ts'
import type { RunContext } from '../transaction/broker-context.ts'
import type { OpenAccount } from '../transaction/open-account.ts'
import type { Transaction } from '../transaction/transaction.ts'
import { dropPending } from './pending.ts'
import { assertNotSuperseded } from './superseded.ts'

const SAVE_PAUSE_MS = 500

/** A minted token, and the grant or the login it came from. */
export interface Gift {
  readonly renewal: Renewal
  readonly source: TokenSource
}

/**
 * Saves the rotated refresh token, proves the access token and publishes it: the one order in which nothing
 * can be lost. Notes what to record.
 *
 * Throws TokenLostError, WrongAccountError, UnexpectedResponseError, TokenVaultError, BrokerUnavailableError
 * past the deadline, and whatever the proof throws.
 */
export async function saveProvePublish(tx: Transaction, gift: Gift): Promise<void> {
  await saveRotated(tx, gift.renewal)
  await provePublish(tx, gift)
}

/**
 * Saves the refresh token, if there is a new one, and notes it at once: stale reads are recognised by its
 * version. Throws TokenLostError, UnexpectedResponseError, LeaseLostError.
 */
export async function saveRotated(tx: Transaction, { refreshToken, sentAt }: Renewal): Promise<void> {
  if (refreshToken) await saveRefreshToken(tx, refreshToken, sentAt)
}

/** Proves the access token and publishes it. Throws as {@link saveProvePublish} does. */
export async function provePublish(tx: Transaction, { renewal, source }: Gift): Promise<void> {
  const { account, broker, context, ports, state } = tx
  assertPlausibleToken(renewal.accessToken, 'access token')
  const expiry = expiryOf(
    broker.session.accessToken,
    {
      token: renewal.accessToken,
      at: renewal.sentAt,
      expiresIn: renewal.expiresIn,
      expiresAt: renewal.expiresAt,
    },
    state.settings.maxLifetimeHours ?? broker.session.maxLifetimeHours,
  )
  if (!isAfter(expiry.expiresAt, ports.clock.now())) {
    throw new UnexpectedResponseError(`the new access token is already dead by ${expiry.decidedBy}`, {
      field: 'expiry',
      fix: 'check the clock of this machine and the broker; the stored access token was kept',
    })
  }
  if (renewal.unproven) throw renewal.unproven
  const pauses = source === 'login' || source === 'approval' ? PATIENT : undefined
  const prove = (): Promise<Partial<Proof>> => broker.prove(context, renewal.accessToken)
  const proof = renewal.proof ?? (await repeatRead(context, prove, pauses))
  // The reply's user id counts where the proof names nobody.
  const owner = { ...(renewal.userId !== undefined && { userId: renewal.userId }), ...proof }
  assertSameUser(state, owner)
  assertInTime(context)

  const options = { deadline: context.deadline }
  if (renewal.session) await ports.vault.write(account, 'session', renewal.session, options)
  const { version } = await ports.vault.write(account, 'access_token', renewal.accessToken, options)
  // A pending token is this one, or an older one.
  if (state.pending) await dropPending(tx)
  const now = ports.clock.now()
  const record: AccessTokenRecord = {
    issuedAt: renewal.sentAt,
    expiresAt: expiry.expiresAt,
    expiryDecidedBy: expiry.decidedBy,
    provenAt: now,
    version,
    publishedAt: now,
    source,
  }
  const approval = source === 'approval' && state.approval ? answered(state.approval, now) : state.approval
  tx.note({
    ...ownerOf(owner),
    ...published(tx, record, renewal.accessToken),
    ...leftOpenBy(broker, approval, now),
  })
}

/** The changes to the record for a published token, which is also noted for the subscribers. */
function published(
  { broker, context, state }: OpenAccount,
  record: AccessTokenRecord,
  accessToken: Secret,
): StateChanges {
  const { issuedAt, expiresAt, provenAt, source } = record
  const generation = state.generation + 1
  const { account } = state
  context.published({
    account,
    broker: broker.id,
    timeZone: broker.session.timeZone,
    generation,
    issuedAt,
    expiresAt,
    provenAt,
    source,
    accessToken,
  })
  return { accessToken: record, generation, pending: undefined, refusedVersion: undefined }
}

/**
 * Proves the stored access token, which somebody else wrote or whose fate is unknown. Returns what to record;
 * throws WrongAccountError and what the proof throws.
 */
export async function proveStored(account: OpenAccount, pausesMs?: readonly number[]): Promise<StateChanges> {
  const { broker, context, ports, state, stored } = account
  const token = stored.get('access_token')
  if (!token) throw new Error('there is no stored access token to prove')
  assertPlausibleToken(token.value, 'stored access_token')
  const proof = await repeatRead(context, () => broker.prove(context, token.value), pausesMs)
  assertSameUser(state, proof)
  const now = ports.clock.now()
  const known = state.accessToken?.version === token.version ? state.accessToken : undefined
  if (known && !isAfter(known.publishedAt, now)) {
    const accessToken = { ...known, provenAt: now }
    return { ...ownerOf(proof), ...settledBy(state, now), refusedVersion: undefined, accessToken }
  }
  // A record written by a clock that was ahead is made anew.
  const issuedAt = isBefore(token.modifiedAt, now) ? token.modifiedAt : now
  const { expiresAt, decidedBy } = expiryOfStored(broker, state, { token: token.value, at: issuedAt }, known)
  const record: AccessTokenRecord = {
    issuedAt,
    expiresAt,
    expiryDecidedBy: decidedBy,
    provenAt: now,
    version: token.version,
    publishedAt: issuedAt,
    source: known?.source ?? 'found',
  }
  const left = leftOpenBy(broker, state.approval, now)
  return { ...ownerOf(proof), ...published(account, record, token.value), ...left }
}

/**
 * When a stored token dies. The broker's `expiresIn` is only on record, so the recorded life is counted from
 * the issue again; this never lengthens it.
 */
function expiryOfStored(
  { session }: Broker,
  { settings }: AccountState,
  issued: Issued,
  known: AccessTokenRecord | undefined,
): Expiry {
  const expiresIn = known && Math.floor(known.issuedAt.until(known.expiresAt).total('seconds'))
  const ceiling = settings.maxLifetimeHours ?? session.maxLifetimeHours
  const estimate = expiryOf(session.accessToken, { ...issued, expiresIn }, ceiling)
  if (!known || !isAfter(estimate.expiresAt, known.expiresAt)) return estimate
  return { expiresAt: known.expiresAt, decidedBy: known.expiryDecidedBy }
}

/** Saves the refresh token, repeated until the deadline (I1); past its lease, looks for a newer one first. */
async function saveRefreshToken(
  tx: Transaction,
  refreshToken: Secret,
  sentAt: Temporal.Instant,
): Promise<void> {
  const { account, broker, context } = tx
  assertPlausibleToken(refreshToken, 'refresh token')
  const { clock, vault } = tx.ports
  let until = context.deadline
  let lastError: unknown
  do {
    try {
      await assertNotSuperseded(tx, refreshToken)
      const { version } = await vault.write(account, 'refresh_token', refreshToken, { deadline: until })
      const expiresAt =
        broker.session.refreshToken &&
        expiryOf(broker.session.refreshToken, { token: refreshToken, at: sentAt }).expiresAt
      tx.note({ refreshToken: { version, savedAt: clock.now(), ...(expiresAt && { expiresAt }) } })
      return
    } catch (error) {
      if (!(error instanceof TokenVaultError)) throw error
      // The lease is short, and saving may go on for as long as this process lives.
      if (lastError === undefined) until = await context.moreTime()
      lastError = error
      await clock.sleep(SAVE_PAUSE_MS)
    }
  } while (isBefore(clock.now(), until))
  throw new TokenLostError(
    'the broker issued a new refresh token and it could not be saved before the deadline',
    {
      cause: lastError,
      fix: `a person must log in again: ${account}; then check SSM permissions and throttling`,
    },
  )
}

/** Proves a token with the patient repeats that a person's login is worth. Throws what the proof throws. */
export async function proveWithRepeats(
  { broker, context }: OpenAccount,
  token: Secret,
): Promise<Partial<Proof>> {
  return repeatRead(context, () => broker.prove(context, token), PATIENT)
}

/** Throws BrokerUnavailableError past the deadline: another run may have published a newer token by then. */
function assertInTime({ clock, deadline }: RunContext): void {
  if (isBefore(clock.now(), deadline)) return
  throw new BrokerUnavailableError('the new access token was proven only after the deadline', {
    fix: 'nothing to do: it is kept, and the next run proves and publishes it',
  })
}

/** Throws WrongAccountError for another user than the pinned one. */
export function assertSameUser(state: Pick<AccountState, 'userId'>, proof: Partial<Proof>): void {
  if (state.userId === undefined || proof.userId === undefined) return
  if (state.userId.toUpperCase() === proof.userId.toUpperCase()) return
  throw new WrongAccountError(
    `the token belongs to ${abbreviated(proof.userId)}, but this account is pinned to ${abbreviated(state.userId)}`,
    { fix: 'log in with the right user, or store the right credentials; nothing was changed' },
  )
}

function ownerOf(proof: Partial<Proof>): StateChanges {
  const { userId, clientName } = proof
  return { ...(userId !== undefined && { userId }), ...(clientName !== undefined && { clientName }) }
}

/** The part of a user id that its owner recognises. */
function abbreviated(userId: string): string {
  return userId.length <= 4 ? '…' : `${userId.slice(0, 2)}…${userId.slice(-2)}`
}
