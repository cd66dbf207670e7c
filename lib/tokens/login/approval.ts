import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import type { AccountState } from '../../model/account-state.ts'
import { WrongAccountError } from '../../model/errors.ts'
import { isPlausibleToken } from '../../model/secrets/plausible.ts'
import { isFromTheFuture } from '../../model/time/clock-tolerance.ts'
import { isAfter } from '../../model/time/instants.ts'
import { unknownAccount } from '../../model/unknown-account.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Candidate, PushApproval } from '../../ports/broker/login.ts'
import type { Ports } from '../../ports/ports.ts'
import type { Prepared } from '../lease/acquire-lease.ts'
import { readStored } from '../lease/read-stored.ts'
import { type BeforeApproval, beforeApproval, sendApproval, unsent } from '../refresh/approval-request.ts'
import { attemptAllowedAt, loginHold } from '../rules/grants/budget.ts'
import { RequestRefusedError } from '../rules/outcome/request-refused.ts'
import { noteDoubt } from '../rules/token/doubt.ts'
import { answered, isApprovalOpen, openRequests } from '../rules/token/open-approval.ts'
import { pendingIn } from '../rules/token/pending-token.ts'
import { APPROVAL_REQUEST, POSTED_APPROVAL } from '../transaction/times.ts'
import type { Transaction } from '../transaction/transaction.ts'
import { type Ended, underLease } from '../transaction/under-lease.ts'
import { publishLogin } from './publish-login.ts'
import { assertStored, assertWanted } from './start.ts'

/**
 * How many posted tokens are tried at the broker for one request: more than the broker posts, and fewer than
 * somebody who guesses needs.
 */
const MOST_TRIED = 5

const APPROVED = 'the account holder approved in the app of the broker'

/**
 * Has the broker ask its customer in its own app. Throws RequestRefusedError where that is of no use now,
 * ConfigurationError for an unknown account, BusyError, and the errors of the request when it certainly
 * failed.
 */
export async function requestApproval(account: AccountId, broker: Broker, ports: Ports): Promise<void> {
  const login = approvalOf(broker)
  const known = await ports.states.get(account)
  if (!known) throw unknownAccount(account)
  // Checked before anything is recorded: a request that cannot be sent must not count.
  assertStored(login.needs, await readStored(ports, broker, known), known, broker)
  let before: BeforeApproval = known
  const prepare = (state: AccountState): Prepared<void> => {
    const now = ports.clock.now()
    before = state
    assertWanted(state)
    assertPinned(state)
    assertAllowed(login, state, broker, now)
    return { write: beforeApproval(broker, login, state, now) }
  }
  await underLease({ broker, account, times: APPROVAL_REQUEST, prepare }, ports, async (tx) => {
    try {
      await tx.readSecrets()
    } catch (error) {
      // Nothing was sent, so the recorded request is taken back.
      tx.note(unsent(tx.state, before))
      throw error
    }
    const sent = await sendApproval(login, tx.state, before, tx.context)
    tx.note(sent.changes)
    if (sent.error !== undefined) throw sent.error
    return { result: undefined }
  })
}

/**
 * Takes what was posted to the webhook. Nobody signs it, so it counts only while a request of ours is open,
 * for the app and the user on record, with times that fit, and once the broker itself accepts the token.
 * Anything else changes nothing and nobody is told. Throws what the stores throw, and RequestRefusedError for
 * a broker without such approvals.
 */
export async function acceptApproval(
  order: { readonly account: AccountId; readonly body: unknown },
  broker: Broker,
  ports: Ports,
): Promise<void> {
  const { account, body } = order
  const ignored = (why: string): void =>
    ports.telemetry.info('a posted approval was ignored', { account, reason: why })
  const candidate = approvalOf(broker).readWebhook(body)
  if (!candidate) return ignored('it is not what the broker sends')
  // Looked at without the lease first: posted garbage must not hold up runs.
  const state = await ports.states.get(account)
  if (!state) return ignored('the account is not registered')
  const stored = await readStored(ports, broker, state)
  const clientId = stored.get('client_id')?.value.reveal()
  const objection = objectionTo(candidate, clientId, state, ports.clock.now())
  if (objection !== undefined) return ignored(objection)

  const prepare = (record: AccountState): Prepared<string | undefined> => {
    const now = ports.clock.now()
    const again = objectionTo(candidate, clientId, record, now)
    if (again !== undefined || !record.approval) return { instead: again }
    const approval = { ...record.approval, tried: record.approval.tried + 1 }
    return { write: { approval, ...noteDoubt(broker, record, { by: 'approval', at: now }) } }
  }
  const wish = { broker, account, times: POSTED_APPROVAL, prepare }
  const objectionNow = await underLease<string | undefined>(wish, ports, (tx) => publish(tx, candidate))
  if (objectionNow !== undefined) ignored(objectionNow)
}

/** Why a candidate is not worth a call to the broker; `undefined` when it is. */
function objectionTo(
  { clientId: named, userId, accessToken, issuedAt, expiresAt }: Candidate,
  clientId: string | undefined,
  { approval, accessToken: published, userId: pinned, paused }: AccountState,
  now: Temporal.Instant,
): string | undefined {
  if (!isApprovalOpen(approval, now)) return 'no approval request is open'
  if (paused) return 'the account is paused'
  if (clientId === undefined || named !== clientId) return 'it names another app'
  if (pinned === undefined || userId.toUpperCase() !== pinned.toUpperCase()) return 'it names another user'
  if (!isPlausibleToken(accessToken)) return 'its token is none'
  const issued = byOurClock(issuedAt, approval)
  if (openRequests(approval, now).every(({ requestedAt }) => isFromTheFuture(requestedAt, issued))) {
    return 'its token is older than the request'
  }
  if (isFromTheFuture(issued, now)) return 'its token is from the future'
  // After two answered requests the broker may post the older answer last, or one of them twice.
  const isAnswered = published?.source === 'approval' || approval.approvedAt !== undefined
  if (
    published &&
    isAnswered &&
    !isFromTheFuture(published.issuedAt, now) &&
    !isAfter(issued, published.issuedAt)
  ) {
    return 'its token is no newer than the published one'
  }
  if (!isAfter(expiresAt, now)) return 'its token has expired'
  if (approval.tried >= MOST_TRIED) return 'too many tokens were posted for this request'
  return undefined
}

/** A time by the broker's clock, converted to ours. */
function byOurClock(instant: Temporal.Instant, approval: AccountState['approval']): Temporal.Instant {
  return instant.subtract({ seconds: approval?.driftSeconds ?? 0 })
}

async function publish(
  tx: Transaction,
  { accessToken, issuedAt, expiresAt, userId }: Candidate,
): Promise<Ended<undefined>> {
  const { account, before, ports } = tx
  try {
    await tx.readSecrets()
    const now = ports.clock.now()
    const issued = byOurClock(issuedAt, before.approval)
    const sentAt = isAfter(issued, now) ? now : issued
    const renewal = { accessToken, sentAt, expiresAt, userId }
    // Nobody signs what is posted: until the broker has accepted it, it must not replace a pending token
    // (I10).
    const mayKeep = pendingIn(tx.stored, before, now) === undefined
    const { error } = await publishLogin(tx, { renewal, source: 'approval', mayKeep })
    if (error !== undefined) throw error
  } catch (error) {
    // Nobody is told, since the post may be a stranger's. A person who approved sees that the page still
    // waits.
    const code = error instanceof WrongAccountError ? error.code : (error as { code?: string }).code
    ports.telemetry.warn('a posted approval could not be proven', { account, success: false, code })
    return { result: undefined }
  }
  ports.telemetry.info('an approval arrived and was proven', { account, success: true })
  const now = ports.clock.now()
  if (tx.state.approval) tx.note({ approval: answered(tx.state.approval, now) })
  const last = { at: now, outcome: 'refreshed', reason: APPROVED } as const
  return { result: undefined, people: 'solved', last }
}

function approvalOf(broker: Broker): PushApproval {
  if (broker.login?.approval) return broker.login.approval
  throw new RequestRefusedError(
    'configuration_invalid',
    `${broker.displayName} has no approval in an app of its own`,
    'log in on the web instead',
  )
}

/**
 * Throws RequestRefusedError where the user is not known yet: nobody signs the answer, so its owner must be
 * known before.
 */
function assertPinned({ account, userId }: AccountState): void {
  if (userId !== undefined) return
  throw new RequestRefusedError(
    'configuration_invalid',
    `nobody has logged in to ${account} yet, so its user is not known`,
    'log in on the web once; from then on an approval will do',
  )
}

function assertAllowed(
  login: PushApproval,
  state: AccountState,
  broker: Broker,
  now: Temporal.Instant,
): void {
  const held = { ...loginHold(state), attempts: state.approvalRequests ?? [] }
  const hold = attemptAllowedAt(login.budget, held, broker.session.timeZone, now)
  if (!hold) return
  const minutes = Math.ceil(now.until(hold.at).total('minutes'))
  const asked = isApprovalOpen(state.approval, now)
    ? `you were asked already: look in the ${broker.displayName} app`
    : hold.dayIsSpent
      ? 'the requests of today are used up'
      : 'the last request was a moment ago'
  throw new RequestRefusedError('rate_limited', asked, `log in on the web, or ask again in ${minutes} min`)
}
