import { accountCalled, defaultAccount, type KnownAccount, knownAccounts } from '../accounts/accounts.ts'
import { brokerOf, isAccountId, nameOf } from '../model/account-id.ts'
import type { Caller } from './caller.ts'
import { RestProblem } from './problem.ts'
import type { RestOptions } from './rest-env.ts'

/**
 * The accounts that a caller may know. An account of others and one that does not exist end alike, after the
 * same look-ups. Every method throws StateStoreError.
 */
export interface Directory {
  /** All of the caller's accounts. */
  all(caller: Caller): Promise<readonly KnownAccount[]>
  /** The account with this id or bare name. Throws RestProblem. */
  called(id: string, caller: Caller): Promise<KnownAccount>
  /**
   * The account with this user id at the broker (R0.6); an account that is named by the user id comes first.
   * Throws RestProblem.
   */
  ofUser(userId: string, caller: Caller): Promise<KnownAccount>
  /** The account that is meant where a path names none. Throws RestProblem. */
  standard(caller: Caller): Promise<KnownAccount>
}

/** The directory on the stores of these options. */
export function directory({ brokers, ports: { states } }: Pick<RestOptions, 'brokers' | 'ports'>): Directory {
  const exactly = async (id: string): Promise<KnownAccount | undefined> => {
    if (!isAccountId(id)) return undefined
    const broker = brokers.find((one) => one.id === brokerOf(id))
    const state = broker && (await states.get(id))
    return state && { broker, state }
  }
  const all: Directory['all'] = async ({ accounts }) => {
    if (!accounts) return knownAccounts(brokers, states)
    const found = await Promise.all(accounts.map(exactly))
    return found.filter((known) => known !== undefined)
  }
  return {
    all,
    async called(id, caller) {
      // A whole id costs one read; for a caller with few accounts only those are looked at.
      const known = caller.accounts ? undefined : await exactly(id)
      const found = known ?? accountCalled(id, await all(caller))
      if (found) return found
      throw unknownAccount()
    },
    async ofUser(userId, caller) {
      const known = await all(caller)
      const named = known.find(
        ({ broker, state }) =>
          broker.guide?.accountsCalledBy === 'user_id' && nameOf(state.account) === userId,
      )
      const pinned = known.filter(({ state }) => state.userId === userId)
      const found = named ?? accountCalled(userId, known) ?? (pinned.length === 1 ? pinned[0] : undefined)
      if (found) return found
      throw unknownAccount()
    },
    async standard(caller) {
      const found = defaultAccount(await all(caller))
      if (found) return found
      throw noAccounts()
    },
  }
}

/** Repeats nothing of the request, and is the same for an unknown account and for one of others. */
function unknownAccount(): RestProblem {
  return new RestProblem('unknown_account', 'there is no such account for this key', {
    fix: 'write broker/account as it is called at the keeper (tokenkeeper status), with a key that is made for that account',
  })
}

/** The problem where no account is set up that the caller may know. */
export function noAccounts(): RestProblem {
  return new RestProblem('no_accounts', 'no account is set up for this key', {
    fix: 'set one up, such as by tokenkeeper setup fyers',
  })
}
