import { join } from 'node:path'

/** What the local backend keeps in its folder. */
export function filesOf(home: string): { readonly database: string; readonly key: string } {
  return { database: join(home, 'store.db'), key: join(home, 'vault.key') }
}
