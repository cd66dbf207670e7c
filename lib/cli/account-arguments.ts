import { brokerNamed } from '../brokers/index.ts'
import { type AccountId, brokerOf, nameOf, parseAccountId } from '../tokens/account-id.ts'
import { ConfigurationError } from '../tokens/errors.ts'
import type { Composition, EnabledBroker } from './composition.ts'
import { UsageError } from './usage-error.ts'

/** The broker whose users the guide before us called by bare numbers. */
const BROKER_OF_USERS = 'iifl'

/** What a command is to work on: one broker's accounts, all of them where none is named. */
export interface Selection {
  readonly broker: EnabledBroker
  readonly accounts?: readonly AccountId[]
}

/**
 * The account ids among a command's arguments; `--user 28748327` is `iifl/28748327`. Throws UsageError for what is
 * no account id or no broker.
 */
export function accountArguments(
  texts: readonly string[],
  users: readonly string[] = [],
): readonly AccountId[] {
  const stranger = users.length > 0 ? texts.find((text) => text !== BROKER_OF_USERS) : undefined
  if (stranger !== undefined) {
    throw new UsageError(
      '--user names IIFL users only',
      'write other accounts as broker/account, such as upstox/ACC1',
    )
  }
  const named = users.length > 0 ? users.map((user) => `${BROKER_OF_USERS}/${user}`) : texts
  return [...new Set(named.map(accountArgument))]
}

/** One account id. Throws UsageError. */
export function accountArgument(text: string): AccountId {
  try {
    const account = parseAccountId(text)
    brokerNamed(brokerOf(account))
    return account
  } catch (error) {
    if (error instanceof ConfigurationError) throw new UsageError(error.message, error.fix)
    throw error
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

/**
 * The accounts to work on, by broker; all of all enabled brokers where none is named. A broker alone means its
 * default account, or all its accounts where it has no default one. Throws ConfigurationError, StateStoreError.
 */
export async function select(
  accounts: readonly AccountId[],
  composition: Composition,
): Promise<readonly Selection[]> {
  if (accounts.length === 0) return composition.brokers.map((broker) => ({ broker }))
  const named = new Map<EnabledBroker, AccountId[] | undefined>()
  for (const account of accounts) {
    const broker = brokerFor(account, composition)
    const all = nameOf(account) === undefined && (await composition.ports.states.get(account)) === undefined
    const before = named.get(broker)
    named.set(
      broker,
      all || (named.has(broker) && before === undefined) ? undefined : [...(before ?? []), account],
    )
  }
  return [...named].map(([broker, ids]) => ({ broker, ...(ids && { accounts: ids }) }))
}
