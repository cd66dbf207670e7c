import { type KnownAccount, knownAccounts } from '../../accounts/accounts.ts'
import { BROKER_IDS, brokerNamed } from '../../brokers/index.ts'
import { type AccountId, brokerOf, nameOf } from '../../model/account-id.ts'
import { StateStoreError, TokenVaultError } from '../../model/errors.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Composition } from '../backend/composition.ts'
import type { EnabledBroker } from '../backend/setting.ts'
import { didYouMean } from '../terminal/similar.ts'
import { UsageError } from '../terminal/usage-error.ts'
import { type AccountsWish, brokerFor } from './account-arguments.ts'

/** More would be no hint any more. */
const LISTED = 8

/** One broker's accounts, all of them where none is named. */
export interface Selection {
  readonly broker: EnabledBroker
  readonly accounts?: readonly AccountId[]
}

type Stores = Pick<Composition, 'ports' | 'brokers'>

/**
 * The registered accounts a command means, in the order they were named in; all where none is named. A broker alone
 * means the same everywhere: its default account, or its only one. Throws UsageError for an account there is not, before
 * anything is done to any, and for a broker that has several and no default; ConfigurationError, StateStoreError.
 */
export async function chosenAccounts(
  wish: AccountsWish,
  composition: Stores,
): Promise<readonly KnownAccount[]> {
  const { accounts, all } = wish
  const known = await knownIn(wish, enabled(composition), composition)
  if (all || accounts.length === 0) return known
  const found = accounts.map((account) => [account, meantBy(account, known)] as const)
  assertKnown(
    found.filter(([, one]) => one === undefined).map(([account]) => account),
    known,
  )
  return [...new Set(found.flatMap(([, one]) => one ?? []))]
}

/** As {@link chosenOrStored}; all where that is asked for. What is to go may belong to a broker that is switched off. */
export async function accountsToRemove(
  wish: AccountsWish,
  composition: Stores,
): Promise<readonly AccountId[]> {
  if (!wish.all) return chosenOrStored(wish, composition, { brokerOf: brokerOfAccount })
  const brokers = wish.accounts.length > 0 ? wish.accounts.map(brokerOfAccount) : BROKER_IDS.map(brokerNamed)
  return (await knownAccounts(brokers, composition.ports.states)).map(({ state }) => state.account)
}

type BrokerOf = (account: AccountId) => Broker

/** Throws ConfigurationError when it is switched off. */
function enabled(composition: Stores): BrokerOf {
  return (account) => brokerFor(account, composition).broker
}

/** Whether or not it is switched on. */
export function brokerOfAccount(account: AccountId): Broker {
  return brokerNamed(brokerOf(account))
}

/** Every account of the brokers that are named, or of all. */
async function knownIn(
  { accounts }: Pick<AccountsWish, 'accounts'>,
  brokerOf: BrokerOf,
  { brokers, ports }: Stores,
): Promise<readonly KnownAccount[]> {
  const named = [...new Set(accounts.map(brokerOf))]
  return knownAccounts(accounts.length > 0 ? named : brokers.map(({ broker }) => broker), ports.states)
}

/** What a command can do about accounts that are not there. */
export interface Leniency {
  /** @default - those that are switched on */
  readonly brokerOf?: BrokerOf
  /** Whether the command itself is about to set it up. @default - no */
  readonly canBeSetUp?: (account: AccountId) => boolean
  /** What to advise besides. @default - nothing */
  readonly orElse?: (account: AccountId) => string
}

/**
 * As {@link chosenAccounts}, for what can be done to an account that nobody has registered as long as something is
 * stored for it: a set-up from before us, or a part of one.
 */
export async function chosenOrStored(
  { accounts }: Pick<AccountsWish, 'accounts'>,
  composition: Stores,
  { brokerOf = enabled(composition), canBeSetUp = () => false, orElse = () => '' }: Leniency = {},
): Promise<readonly AccountId[]> {
  const known = await knownIn({ accounts }, brokerOf, composition)
  const chosen = await Promise.all(
    accounts.map(async (account) => {
      if (known.some(({ state }) => state.account === account)) return { account }
      const isThere = await isStored(account, brokerOf(account), composition)
      if (isThere) return { account }
      const only = meantBy(account, known)?.state.account
      if (only !== undefined) return { account: only }
      return { account, unknown: isThere === false && !canBeSetUp(account) }
    }),
  )
  assertKnown(
    chosen.filter(({ unknown }) => unknown).map(({ account }) => account),
    known,
    orElse,
  )
  return [...new Set(chosen.map(({ account }) => account))]
}

/** `undefined` where this machine may not look. */
async function isStored(
  account: AccountId,
  { credentials }: Broker,
  { ports: { vault } }: Stores,
): Promise<boolean | undefined> {
  const names = credentials.map(({ name }) => name)
  try {
    return (await vault.read(account, names)).size > 0
  } catch (error) {
    if (error instanceof TokenVaultError) return undefined
    throw error
  }
}

/**
 * What a run is to go over, by broker. A broker without any account is left to the run, which knows parameters from
 * before us, and so are accounts by name where the records of a stack may not be read.
 */
export async function selectionsIn(
  wish: AccountsWish,
  composition: Composition,
): Promise<readonly Selection[]> {
  const { accounts, all } = wish
  if (accounts.length === 0) return composition.brokers.map((broker) => ({ broker }))
  if (all) return accounts.map((account) => ({ broker: brokerFor(account, composition) }))
  const [first] = accounts
  if (first !== undefined && accounts.length === 1 && (await isEmpty(first, composition))) {
    return [{ broker: brokerFor(first, composition) }]
  }
  const chosen = await toRun(accounts, composition)
  return [...Map.groupBy(chosen, (account) => brokerFor(account, composition))].map(([broker, ids]) => ({
    broker,
    accounts: ids,
  }))
}

/** Whether this is a broker alone that has no account yet. */
async function isEmpty(account: AccountId, composition: Composition): Promise<boolean> {
  if (nameOf(account) !== undefined) return false
  const { broker } = brokerFor(account, composition)
  const { states } = composition.ports
  return mayFail(composition, async () => (await knownAccounts([broker], states)).length === 0, false)
}

/** Where the records of a stack may not be read, the function behind the run finds out. */
async function mayFail<T>({ backend }: Composition, look: () => Promise<T>, instead: T): Promise<T> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof StateStoreError && backend === 'aws') return instead
    throw error
  }
}

async function toRun(
  accounts: readonly AccountId[],
  composition: Composition,
): Promise<readonly AccountId[]> {
  return mayFail(composition, () => chosenOrStored({ accounts }, composition), accounts)
}

/** Throws UsageError for a broker that several accounts belong to, none of them its default one. */
function meantBy(account: AccountId, known: readonly KnownAccount[]): KnownAccount | undefined {
  const exact = known.find(({ state }) => state.account === account)
  if (exact || nameOf(account) !== undefined) return exact
  const own = known.filter(({ broker }) => broker.id === account)
  if (own.length <= 1) return own[0]
  throw new UsageError(
    `${account} has ${own.length} accounts, and none of them is its default one`,
    `name ${listOf(own)}, or take them all: --all`,
  )
}

function listOf(known: readonly KnownAccount[]): string {
  const names = known.map(({ state }) => state.account)
  return names.length > LISTED
    ? `those you mean, such as ${names[0]} (tokenkeeper status lists them)`
    : `those you mean of ${names.join(', ')}`
}

function assertKnown(
  unknown: readonly AccountId[],
  known: readonly KnownAccount[],
  orElse: (account: AccountId) => string = () => '',
): void {
  const [first] = unknown
  if (first === undefined) return
  const are = unknown.length === 1 ? 'is' : 'are'
  throw new UsageError(
    `${unknown.join(', ')} ${are} not set up; nothing was done`,
    didYouMean(
      first,
      known.map(({ state }) => state.account),
      `see what there is (tokenkeeper status), or run tokenkeeper setup ${first}${orElse(first)}`,
    ),
  )
}
