import { ConfigurationError } from './errors.ts'

declare const brand: unique symbol

/** `fyers` for a broker's default account, `iifl/28748327` for a further one. */
export type AccountId = string & { readonly [brand]: 'AccountId' }

const BROKER = /^[a-z0-9][a-z0-9-]{0,31}$/
/** Not `.` or `..`, which would lead out of a parameter's path. */
const ACCOUNT = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/

/**
 * The account id in a text from a person or an event. Throws {@link ConfigurationError} that names the form
 * allowed.
 */
export function parseAccountId(text: string): AccountId {
  if (isAccountId(text)) return text
  throw new ConfigurationError(`"${text.slice(0, 80)}" is not an account id`, {
    fix: 'write the broker alone for its default account (fyers), or broker/account (iifl/28748327)',
  })
}

/**
 * Whether a text is an account id. For places where the error of {@link parseAccountId} would repeat too much
 * of the text.
 */
export function isAccountId(text: string): text is AccountId {
  const [broker = '', account, ...rest] = text.split('/')
  return BROKER.test(broker) && rest.length === 0 && (account === undefined || ACCOUNT.test(account))
}

/** The broker's id: the part before the slash. */
export function brokerOf(account: AccountId): string {
  return account.split('/', 1)[0] as string
}

/** The part after the slash; `undefined` for the broker's default account. */
export function nameOf(account: AccountId): string | undefined {
  return account.split('/')[1]
}
