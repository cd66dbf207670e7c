import type { AccountId } from '../../model/account-id.ts'
import { type AccountState, changed, type StateChanges } from '../../model/account-state.ts'
import {
  GrantRejectedError,
  RateLimitedError,
  TokenkeeperError,
  WrongAccountError,
} from '../../model/errors.ts'
import { maskSecrets } from '../../model/secrets/secret.ts'
import { unknownAccount } from '../../model/unknown-account.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import type { Validation } from '../../ports/token-service.ts'
import { readStored } from '../lease/read-stored.ts'
import { proveStored } from '../refresh/publish.ts'
import { isHeld } from '../rules/decide/held.ts'
import { leftAlone } from '../rules/grants/attempt.ts'
import { attemptAllowedAt } from '../rules/grants/budget.ts'
import { forAccount } from '../rules/outcome/advice.ts'
import { assertProvable } from '../rules/token/provable.ts'
import { announce } from '../tell/announce.ts'
import type { RunContext } from '../transaction/broker-context.ts'
import { openAccount } from '../transaction/open-account.ts'

/** Seconds for the proof and its repeats; somebody waits for the reply. */
const WORK_SECONDS = 20
/** A proof is no login, so no login budget applies; only a wait that the broker asked for holds it back. */
const PROOF_BUDGET = { minimumGapSeconds: 0 }

/**
 * Asks the broker whether the stored access token works, and records the verdict. Renews nothing, publishes
 * nothing and asks nobody to log in, because a caller who may only read must not be able to use up a login.
 * After a refusal the next run renews without asking again.
 *
 * Throws ConfigurationError for an unknown account or a broker that can prove no token, RateLimitedError
 * while the broker wants to be left alone, whatever the proof throws that is no verdict, and what the stores
 * throw.
 */
export async function validateAccessToken(
  broker: Broker,
  account: AccountId,
  ports: Ports,
): Promise<Validation> {
  const state = await ports.states.get(account)
  if (!state) throw unknownAccount(account)
  const stored = await readStored(ports, broker, state)
  const told = { account, userID: state.userId ?? null, checkedAt: localTime(broker, ports) }
  const token = stored.get('access_token')
  if (!token) return { ...told, valid: false, problem: noToken(state) }
  assertProvable(broker, state)
  assertLeftInPeace(broker, state, ports)

  const deadline = ports.clock.now().add({ seconds: WORK_SECONDS })
  const read = openAccount({ broker, state, stored, deadline }, ports)
  try {
    const proven = await proveStored(read)
    await note(state, proven, ports, read.context)
    return { ...told, checkedAt: localTime(broker, ports), userID: proven.userId ?? told.userID, valid: true }
  } catch (error) {
    if (error instanceof RateLimitedError) {
      await note(state, leftAlone(error, ports.clock.now()), ports)
    }
    if (!(error instanceof GrantRejectedError || error instanceof WrongAccountError)) {
      // No run repeats this question, so the advice is to ask again.
      throw error instanceof TokenkeeperError ? error.advising('ask again in a moment') : error
    }
    await note(state, { refusedVersion: token.version, doubt: undefined }, ports)
    return {
      ...told,
      checkedAt: localTime(broker, ports),
      valid: false,
      problem: problemOf(error, account),
    }
  }
}

/**
 * Records the verdict, unless the account has changed since it was read: then the verdict may be about
 * another token. Writes nothing for an account that is paused or managed elsewhere.
 */
async function note(
  state: AccountState,
  changes: StateChanges,
  ports: Ports,
  context?: RunContext,
): Promise<void> {
  if (state.paused || state.settings.managedBy === 'external') return
  const { doubt: _open, ...settled } = changes
  // A run that holds the account may end the token after this answer: that run settles the doubt (I9).
  const isUnderWay = state.lease !== undefined && isHeld(state.lease, ports.clock.now())
  const { written } = await ports.states.replace(changed(state, isUnderWay ? settled : changes))
  if (written && context) await announce(context.publications(), ports)
}

function assertLeftInPeace(broker: Broker, state: AccountState, { clock }: Ports): void {
  const now = clock.now()
  const hold = attemptAllowedAt(PROOF_BUDGET, { ...state, attempts: [] }, broker.session.timeZone, now)
  if (!hold) return
  throw new RateLimitedError(hold.reason, {
    retryAfterSeconds: Math.ceil(now.until(hold.at).total('seconds')),
    fix: 'wait that long; until then the last proof on record is what is known',
  })
}

function noToken({ account, last }: AccountState): NonNullable<Validation['problem']> {
  return {
    code: 'no_token',
    reason: 'no access token is stored',
    fix: last?.fix || `run tokenkeeper refresh ${account}: it gets one, or says what it needs`,
  }
}

function problemOf(
  { code, message, fix }: TokenkeeperError,
  account: AccountId,
): NonNullable<Validation['problem']> {
  return { code, reason: maskSecrets(message), fix: forAccount(fix, account) }
}

function localTime({ session }: Broker, { clock }: Ports): string {
  return clock.now().toString({ timeZone: session.timeZone, smallestUnit: 'second' })
}
