import type { Temporal } from 'temporal-polyfill'
import { coverage, nextNeed, oldTokenSentence } from '../../accounts/receipt.ts'
import { sessionOf } from '../../markets/session.ts'
import type { AccountId } from '../../model/account-id.ts'
import type { AccountState, LoginResult } from '../../model/account-state.ts'
import { localInstant } from '../../model/time/local-time.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Refusal } from '../../ports/login-service.ts'
import { forAccount } from '../../tokens/rules/outcome/advice.ts'
import { EXIT } from '../terminal/exit-codes.ts'

/** How a login ended, for people and programs; it holds no code, no state and no token. */
export interface LoginEnd {
  readonly success: boolean
  readonly account: AccountId
  readonly code?: Refusal['code'] | 'timeout' | 'useless'
  /** What happened: for a success whose login it was and how long it holds. */
  readonly reason: string
  readonly fix?: string
  /** What else there is to know, in whole sentences. */
  readonly also?: readonly string[]
  readonly userID?: string | null
  readonly clientName?: string | null
  /** ISO 8601 in the broker's zone. */
  readonly tokenValidity?: string | null
}

/** What an operator has to mend before a login can work at all. */
const CONFIGURATION: ReadonlySet<LoginEnd['code']> = new Set(['configuration_invalid', 'client_rejected'])
/** What nobody who logs in can change: a passing fault, or one of ours. */
const FAULTS: ReadonlySet<LoginEnd['code']> = new Set([
  'broker_unavailable',
  'rate_limited',
  'busy',
  'response_unexpected',
  'vault_read',
  'vault_write',
  'state',
])

/** The worst of some logins: 0 ok, 5 configuration, 3 a fault, 4 a person must (still) log in. */
export function exitCodeOfLogins(ends: readonly LoginEnd[]): number {
  const codes = new Set(ends.filter(({ success }) => !success).map(exitCode))
  if (codes.size === 0) return EXIT.ok
  const [only] = codes
  return codes.size === 1 && only !== undefined ? only : EXIT.refreshFailed
}

function exitCode({ code }: LoginEnd): number {
  if (CONFIGURATION.has(code)) return EXIT.configuration
  return FAULTS.has(code) ? EXIT.refreshFailed : EXIT.loginNeeded
}

/** `Logged in as SIM USER ONE (XX00001), valid until …`, or what went wrong; and what follows from it. */
export function sentencesOf({ reason, also = [] }: LoginEnd): string {
  return [`${reason[0]?.toUpperCase() ?? ''}${reason.slice(1)}.`, ...also].join(' ')
}

export function endOfRefusal(account: AccountId, { code, reason, fix }: Refusal): LoginEnd {
  // The service's advice is for the site's visitors.
  const here = code === 'unknown_state' ? `begin again: tokenkeeper login ${account}` : fix
  return { success: false, account, code, reason, fix: forAccount(here, account) }
}

/** The end of a login that was recorded, with what the account has by now. */
export function endOfResult(
  broker: Broker,
  state: AccountState,
  result: LoginResult,
  now: Temporal.Instant,
): LoginEnd {
  const { account } = state
  if (result.success) return endOfSuccess(broker, state, now)
  const { code = 'response_unexpected', reason, fix = 'log in again' } = result
  const also = [oldTokenSentence(broker, state, now)]
  return { success: false, account, code, reason, fix: forAccount(fix, account), also }
}

/** Whose token is published now, and what for. */
export function endOfSuccess(broker: Broker, state: AccountState, now: Temporal.Instant): LoginEnd {
  const { account, userId = null, clientName = null, accessToken } = state
  const { timeZone } = broker.session
  const who = clientName === null ? userId : `${clientName}${userId === null ? '' : ` (${userId})`}`
  const until = accessToken && localInstant(accessToken.expiresAt, timeZone)
  const covers = accessToken && coverage(sessionOf(broker, state.settings), accessToken.expiresAt, now)
  return {
    success: true,
    account,
    reason: `logged in${who === null ? '' : ` as ${who}`}${until === undefined ? '' : `, valid until ${until}`}`,
    also: [...(covers ? [covers.sentence] : []), nextNeed(broker, state, now)],
    userID: userId,
    clientName,
    tokenValidity: accessToken?.expiresAt.toString({ timeZone, smallestUnit: 'second' }) ?? null,
  }
}
