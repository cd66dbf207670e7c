import { type ApiKey, decodeApiKey, encodeApiKey } from '../model/api-key.ts'
import { StateStoreError } from '../model/errors.ts'
import type { ApiKeys } from '../ports/api-keys.ts'
import type { LocalDatabase } from './local-database.ts'

interface Row {
  readonly record: string
}

/** The API keys in SQLite: one row per key, its record as JSON. */
export function sqliteApiKeys(database: LocalDatabase): ApiKeys {
  const guarded = guard(database)
  const insert = database.prepare('INSERT INTO api_key (id, created_at, record) VALUES (?, ?, ?)')
  const all = database.prepare('SELECT record FROM api_key ORDER BY created_at, id')
  const one = database.prepare('SELECT record FROM api_key WHERE id = ?')
  const end = database.prepare(
    `UPDATE api_key SET record = json_set(record, '$.revokedAt', coalesce(record ->> '$.revokedAt', ?))
     WHERE id = ? RETURNING record`,
  )
  return {
    create: async (key) => {
      const record = JSON.stringify(encodeApiKey(key))
      guarded(() => insert.run(key.id, key.createdAt.epochMilliseconds, record))
    },
    list: async () => guarded(() => (all.all() as unknown as Row[]).map(decoded)),
    find: async (id) => guarded(() => optional(one.get(id))),
    revoke: async (id, at) => guarded(() => optional(end.get(at.toString(), id))),
  }
}

function optional(row: unknown): ApiKey | undefined {
  return row === undefined ? undefined : decoded(row as Row)
}

function decoded({ record }: Row): ApiKey {
  return decodeApiKey(JSON.parse(record) as Record<string, unknown>)
}

function guard(database: LocalDatabase): <T>(work: () => T) => T {
  return (work) => {
    try {
      return database.use(work)
    } catch (cause) {
      const { says, fix } = database.faultOf(cause) ?? {}
      throw new StateStoreError(`the local store of API keys could not be used${says ? `: ${says}` : ''}`, {
        cause,
        fix: fix ?? 'check the TOKENKEEPER_HOME folder: tokenkeeper doctor',
      })
    }
  }
}
