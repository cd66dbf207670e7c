import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../../model/account-id.ts'
import { HumanActionError, type TokenkeeperError } from '../../../model/errors.ts'
import { localInstant } from '../../../model/time/local-time.ts'
import type { Broker } from '../../../ports/broker/broker.ts'

/** What a person does, and from when on it helps. */
export function loginAction(broker: Broker, account: AccountId, from?: Temporal.Instant): string {
  const how = broker.login?.how ?? `log in at ${broker.displayName}`
  const then = from ? ` from ${localInstant(from, broker.session.timeZone)} on` : ''
  return broker.login?.code
    ? `${how}${then}: tokenkeeper login ${account}`
    : `${how}${then} and store the new token: tokenkeeper put ${account} access_token`
}

/** A fix with the account it is about in place of `{account}`; where nobody knows that, the reader is told to put it in. */
export function forAccount(fix: string, account: string | undefined): string {
  if (account !== undefined || !fix.includes('{account}')) return fix.replaceAll('{account}', account ?? '')
  return `${fix.replaceAll('{account}', 'ACCOUNT')}, with the account’s id for ACCOUNT`
}

/** What helps against the refusal of a grant, and whether and when it is looked at again by itself. */
export function fixOf(error: TokenkeeperError): string {
  if (!isLookedAtDaily(error)) return error.fix
  return `${error.fix}, then run tokenkeeper refresh {account} --force; else it is tried again tomorrow`
}

export function isLookedAtDaily(error: unknown): error is HumanActionError {
  return error instanceof HumanActionError && error.problem === 'account'
}
