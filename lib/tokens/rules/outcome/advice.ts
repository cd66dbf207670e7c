import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../../model/account-id.ts'
import { HumanActionError, type TokenkeeperError } from '../../../model/errors.ts'
import { localInstant } from '../../../model/time/local-time.ts'
import type { Broker } from '../../../ports/broker/broker.ts'

/** What a person does to bring a new token, in words; `from` is when a login begins to help. */
export function loginAction(broker: Broker, account: AccountId, from?: Temporal.Instant): string {
  const how = broker.login?.how ?? `log in at ${broker.displayName}`
  const then = from ? ` from ${localInstant(from, broker.session.timeZone)} on` : ''
  return broker.login?.code
    ? `${how}${then}: tokenkeeper login ${account}`
    : `${how}${then} and store the new token: tokenkeeper put ${account} access_token`
}

/**
 * A fix with `{account}` replaced by the account. Where the account is not known, `ACCOUNT` stands in its
 * place and the reader is told to replace it.
 */
export function forAccount(fix: string, account: string | undefined): string {
  if (account !== undefined || !fix.includes('{account}')) return fix.replaceAll('{account}', account ?? '')
  return `${fix.replaceAll('{account}', 'ACCOUNT')}, with the account’s id for ACCOUNT`
}

/**
 * What helps against the refusal of a grant, and when it is tried again by itself. Still contains
 * `{account}`.
 */
export function fixOf(error: TokenkeeperError): string {
  if (!isLookedAtDaily(error)) return error.fix
  return `${error.fix}, then run tokenkeeper refresh {account} --force; else it is tried again tomorrow`
}

/**
 * Whether the error is a refusal that a run tries again once a day: the person puts it right at the broker,
 * and nothing tells us.
 */
export function isLookedAtDaily(error: unknown): error is HumanActionError {
  return error instanceof HumanActionError && error.problem === 'account'
}
