import { type AccountId, brokerOf } from '../../../lib/model/account-id.ts'
import type { AccountState } from '../../../lib/model/account-state.ts'
import type { SecretName } from '../../../lib/model/secrets/secret-name.ts'
import { assertOneBatch, assertStorable } from '../../../lib/model/secrets/vault-limits.ts'
import type { Clock } from '../../../lib/ports/clock.ts'
import type { StateStore } from '../../../lib/ports/state-store.ts'
import { type StoredSecret, storedValue, type TokenVault } from '../../../lib/ports/token-vault.ts'

/** A vault in memory: thousands of worlds are made and thrown away. It passes the contract of every vault. */
export function memoryVault(clock: Clock): TokenVault {
  const secrets = new Map<string, StoredSecret>()
  const key = (account: AccountId, name: SecretName): string => `${account} ${name}`
  return {
    async read(account, names) {
      assertOneBatch(names)
      const found = [...new Set(names)].map((name) => [name, secrets.get(key(account, name))] as const)
      return new Map(found.flatMap(([name, secret]) => (secret ? [[name, secret]] : [])))
    },
    async write(account, name, value) {
      assertStorable(name, value)
      const version = (secrets.get(key(account, name))?.version ?? 0) + 1
      const stored = { value: storedValue(name, value.reveal()), version, modifiedAt: clock.now() }
      secrets.set(key(account, name), stored)
      return { version }
    },
    async remove(account, name) {
      secrets.delete(key(account, name))
    },
  }
}

/**
 * A state store in memory. Records stay objects, which nobody changes: that none loses a field as JSON is
 * the contract of the real stores.
 */
export function memoryStates(): StateStore {
  const records = new Map<AccountId, AccountState>()
  return {
    async *list(broker) {
      for (const account of [...records.keys()].toSorted()) {
        const state = brokerOf(account) === broker ? records.get(account) : undefined
        if (state) yield state
      }
    },
    get: async (account) => records.get(account),
    async replace(next) {
      const current = records.get(next.account)
      if ((current?.revision ?? 0) !== next.revision - 1) return { written: false, current }
      records.set(next.account, next)
      return { written: true }
    },
    async remove(account) {
      records.delete(account)
    },
  }
}
