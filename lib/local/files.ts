import { homedir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '../model/errors.ts'

/** What the local backend keeps in its folder. */
export function filesOf(home: string): { readonly database: string; readonly key: string } {
  return { database: join(home, 'store.db'), key: join(home, 'vault.key') }
}

/**
 * A path with `~` for the user's own folder: a shell replaces it, a .env file, a service unit or a JSON file does not.
 * Throws ConfigurationError for the folder of another user, which shells alone can find.
 */
export function withoutTilde(path: string): string {
  if (/^~($|[\\/])/.test(path)) return join(homedir(), path.slice(1))
  if (!path.startsWith('~')) return path
  throw new ConfigurationError(`${path} names another user's folder by ~`, { fix: 'write the path out' })
}
