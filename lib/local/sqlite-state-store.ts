import { type AccountId, brokerOf } from '../model/account-id.ts'
import {
  type AccountState,
  decodeAccountState,
  encodeAccountState,
  type RecordPlace,
} from '../model/account-state.ts'
import { StateStoreError } from '../model/errors.ts'
import { readable } from '../model/state/readable.ts'
import type { Replaced, StateStore } from '../ports/state-store.ts'
import type { LocalDatabase } from './local-database.ts'

interface Row {
  readonly account: string
  readonly record: string
}

/** The state store in SQLite: one row per account, its record as JSON. */
export function sqliteStateStore(database: LocalDatabase): StateStore {
  const guarded = guard(database)
  const byBroker = database.prepare(
    'SELECT account, record FROM account_state WHERE broker = ? ORDER BY account',
  )
  const one = database.prepare('SELECT account, record FROM account_state WHERE account = ?')
  const insert = database.prepare(
    'INSERT INTO account_state (broker, account, revision, record) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  )
  const update = database.prepare(
    'UPDATE account_state SET revision = ?, record = ? WHERE account = ? AND revision = ?',
  )
  const remove = database.prepare('DELETE FROM account_state WHERE account = ?')

  const read = (account: AccountId): AccountState | undefined => {
    const row = one.get(account) as unknown as Row | undefined
    return row && decoded(row)
  }

  return {
    async *list(broker: string) {
      yield* readable(
        guarded(() => byBroker.all(broker) as unknown as Row[]),
        decoded,
      )
    },
    get: async (account) => guarded(() => read(account)),
    replace: async (next): Promise<Replaced> =>
      guarded(() => {
        const { account, revision } = next
        const record = JSON.stringify(encodeAccountState(next))
        const { changes } =
          revision === 1
            ? insert.run(brokerOf(account), account, revision, record)
            : update.run(revision, record, account, revision - 1)
        return changes === 1 ? { written: true } : { written: false, current: read(account) }
      }),
    remove: async (account) => void guarded(() => remove.run(account)),
  }
}

function decoded({ account, record }: Row): AccountState {
  const place: RecordPlace = {
    name: account,
    fix: `it was changed by hand: restore store.db in the TOKENKEEPER_HOME folder from a backup, or take the record out of it (sqlite3 store.db "DELETE FROM account_state WHERE account = '${account}'") and set the account up again: tokenkeeper setup ${account}`,
  }
  return decodeAccountState(fieldsIn(record, place), place)
}

function fieldsIn(json: string, { name, fix }: RecordPlace): unknown {
  try {
    return JSON.parse(json)
  } catch {
    // Without the cause, which quotes the text.
    throw new StateStoreError(`the state record ${name} cannot be read: it is no JSON`, { fix })
  }
}

function guard(database: LocalDatabase): <T>(work: () => T) => T {
  return (work) => {
    try {
      return database.use(work)
    } catch (cause) {
      if (cause instanceof StateStoreError) throw cause
      const { says, fix } = database.faultOf(cause) ?? {}
      throw new StateStoreError(`the local state store could not be used${says ? `: ${says}` : ''}`, {
        cause,
        fix: fix ?? 'check the TOKENKEEPER_HOME folder: tokenkeeper doctor',
      })
    }
  }
}
