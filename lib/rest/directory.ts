import { accountCalled, defaultAccount, type KnownAccount, knownAccounts } from '../accounts/accounts.ts'
import { brokerOf, isAccountId, nameOf } from '../model/account-id.ts'
import type { Caller } from './caller.ts'
import { RestProblem } from './problem.ts'
import type { RestOptions } from './rest-env.ts'

/**
 * The accounts as one caller may know them. One that is not theirs and one that there is not end alike, after the
 * same look-ups. Every method throws StateStoreError.
 */
export interface Directory {
  /** All of the caller's accounts. */
  all(caller: Caller): Promise<readonly KnownAccount[]>
  /** The account of that id or bare name. Throws RestProblem. */
  called(id: string, caller: Caller): Promise<KnownAccount>
  /** The account of a broker's user id (R0.6), first where accounts are named by those. Throws RestProblem. */
  ofUser(userId: string, caller: Caller): Promise<KnownAccount>
  /** The account that stands for all where none is named. Throws RestProblem. */
  standard(caller: Caller): Promise<KnownAccount>
}

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
      // One read for a whole id; a caller with few accounts is answered from those alone.
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

/** Repeats nothing of what was asked for: it is the same for every account that there is not, or not for this key. */
function unknownAccount(): RestProblem {
  return new RestProblem('unknown_account', 'there is no such account for this key', {
    fix: 'write broker/account as it is called at the keeper (tokenkeeper status), with a key that is made for that account',
  })
}

export function noAccounts(): RestProblem {
  return new RestProblem('no_accounts', 'no account is set up for this key', {
    fix: 'set one up, such as by tokenkeeper setup fyers',
  })
}
