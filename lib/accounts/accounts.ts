import { nameOf } from '../model/account-id.ts'
import type { AccountState } from '../model/account-state.ts'
import type { Broker } from '../ports/broker/broker.ts'
import type { StateStore } from '../ports/state-store.ts'

/** A registered account: its broker and its record. */
export interface KnownAccount {
  readonly broker: Broker
  readonly state: AccountState
}

/**
 * Every registered account of these brokers, in the order of the brokers and then of the ids. Throws
 * StateStoreError.
 */
export async function knownAccounts(
  brokers: readonly Broker[],
  states: StateStore,
): Promise<readonly KnownAccount[]> {
  const lists = brokers.map(async (broker) => {
    const known: KnownAccount[] = []
    for await (const state of states.list(broker.id)) known.push({ broker, state })
    return known
  })
  return (await Promise.all(lists)).flat()
}

/**
 * The account a request means: by its id (`iifl/28748327`, `fyers`), or by its name alone (`ACC1`). Of
 * several accounts with that name the one counts whose broker has always called its accounts by name.
 * `undefined` where there is none, or no way to choose. Pure.
 */
export function accountCalled(id: string, known: readonly KnownAccount[]): KnownAccount | undefined {
  const exact = known.find(({ state }) => state.account === id)
  if (exact) return exact
  const named = known.filter(({ state }) => nameOf(state.account) === id)
  return named.find(isCalledByName) ?? (named.length === 1 ? named[0] : undefined)
}

/**
 * The account whose status `/token/status` tells: the default account of a broker that calls its accounts by
 * name, else the first of its accounts, else any broker's default account, else the first of all; `undefined`
 * where there is none. Pure.
 */
export function defaultAccount(known: readonly KnownAccount[]): KnownAccount | undefined {
  const unnamed = ({ state }: KnownAccount): boolean => nameOf(state.account) === undefined
  const called = known.filter(isCalledByName)
  return called.find(unnamed) ?? called[0] ?? known.find(unnamed) ?? known[0]
}

function isCalledByName({ broker }: KnownAccount): boolean {
  return broker.guide?.accountsCalledBy === 'name'
}
