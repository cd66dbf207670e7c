import { homedir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '../model/errors.ts'

/** The paths of the files in the local backend's folder. */
export function filesOf(home: string): { readonly database: string; readonly key: string } {
  return { database: join(home, 'store.db'), key: join(home, 'vault.key') }
}

/**
 * A path with a leading `~` replaced by the user's own folder. A shell does that itself, but a .env file, a
 * service unit or a JSON file does not. Throws ConfigurationError for another user's folder, which only
 * shells can find.
 */
export function withoutTilde(path: string): string {
  if (/^~($|[\\/])/.test(path)) return join(homedir(), path.slice(1))
  if (!path.startsWith('~')) return path
  throw new ConfigurationError(`${path} names another user's folder by ~`, { fix: 'write the path out' })
}
