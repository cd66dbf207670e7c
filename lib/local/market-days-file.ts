import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { StateStoreError } from '../model/errors.ts'
import type { MarketDaysStore } from '../ports/market-days.ts'

/**
 * What the owner says of single days, as JSON in the home folder. No table of the store: that would be a schema which the
 * release before refuses to open.
 */
export function marketDaysFile(path: string): MarketDaysStore {
  const read = (): { readonly days: unknown; readonly revision: number } | undefined => {
    try {
      const { revision, ...days } = JSON.parse(readFileSync(path, 'utf8')) as { readonly revision?: unknown }
      return { days, revision: Number.isInteger(revision) ? Number(revision) : 1 }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw fault(path, 'read', error)
    }
  }
  return {
    read: async () => read(),
    async replace(days, before) {
      if ((read()?.revision ?? 0) !== before) return false
      try {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
        const aside = `${path}.${process.pid}.new`
        writeFileSync(aside, `${JSON.stringify({ revision: before + 1, ...days }, undefined, 2)}\n`, {
          mode: 0o600,
        })
        renameSync(aside, path)
      } catch (error) {
        throw fault(path, 'written', error)
      }
      return true
    },
  }
}

function fault(path: string, what: 'read' | 'written', cause: unknown): StateStoreError {
  const why = cause instanceof SyntaxError ? 'it is no JSON' : (cause as NodeJS.ErrnoException).code
  return new StateStoreError(`${path}, what is said of trading days, could not be ${what}: ${why}`, {
    cause,
    fix: 'make it yours and writable, or remove it: then the days of this release count',
  })
}
