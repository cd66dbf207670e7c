import { ALL_BROKERS, BROKER_IDS, brokerNamed } from '../../brokers/index.ts'
import { type AccountId, brokerOf, nameOf, parseAccountId } from '../../model/account-id.ts'
import { ConfigurationError } from '../../model/errors.ts'
import type { Composition } from '../backend/composition.ts'
import type { EnabledBroker } from '../backend/setting.ts'
import { didYouMean } from '../terminal/similar.ts'
import { UsageError } from '../terminal/usage-error.ts'

/** Whose accounts `--user` names. */
const BROKERS_OF_USERS = ALL_BROKERS.filter(({ guide }) => guide?.accountsCalledBy === 'user_id')

/** What a command was called with. */
export interface WishOptions {
  /** User ids, without the broker. */
  readonly user?: readonly string[]
  /** All accounts of the brokers that are named, or of every broker. */
  readonly all?: boolean
}

/** Which accounts a command was asked for, before anybody has looked which there are. */
export interface AccountsWish {
  /** With `all`, brokers; none means every broker. */
  readonly accounts: readonly AccountId[]
  readonly all: boolean
}

/**
 * What a command's arguments ask for; `--user 28748327` is `iifl/28748327`. Throws UsageError for what is no account id
 * or no broker, and for what does not go together.
 */
export function wishIn(
  texts: readonly string[],
  { user: users = [], all = false }: WishOptions,
): AccountsWish {
  const ids = BROKERS_OF_USERS.map(({ id }) => id)
  const stranger = users.length > 0 ? texts.find((text) => !ids.includes(text)) : undefined
  if (stranger !== undefined) {
    throw new UsageError(
      `--user names users of ${BROKERS_OF_USERS.map(({ displayName }) => displayName).join(' and ')} only`,
      'write other accounts as broker/account, such as upstox/ACC1',
    )
  }
  const named = users.length > 0 ? users.flatMap((user) => ids.map((id) => `${id}/${user}`)) : texts
  const accounts = [...new Set(named.map(accountArgument))]
  const single = all ? accounts.find((account) => nameOf(account) !== undefined) : undefined
  if (single !== undefined) {
    throw new UsageError(
      `--all takes all accounts of a broker, and ${single} is one`,
      `leave --all out, or name the broker alone: ${brokerOf(single)}`,
    )
  }
  return { accounts, all }
}

/** One account id. Throws UsageError. */
export function accountArgument(text: string): AccountId {
  try {
    const account = parseAccountId(text)
    brokerNamed(brokerOf(account))
    return account
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    const broker = text.split('/', 1)[0] ?? ''
    throw new UsageError(error.message, didYouMean(broker, BROKER_IDS, error.fix))
  }
}

/** The enabled broker of an account. Throws ConfigurationError when it is switched off. */
export function brokerFor(account: AccountId, { brokers }: Pick<Composition, 'brokers'>): EnabledBroker {
  const id = brokerOf(account)
  const found = brokers.find(({ broker }) => broker.id === id)
  if (found) return found
  throw new ConfigurationError(`${id} is switched off`, {
    fix: `add "${id}": {} to the brokers of the "tokenkeeper" context in cdk.json, or set its "enabled" to true`,
  })
}
