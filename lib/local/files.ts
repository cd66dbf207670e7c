import { homedir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '../model/errors.ts'

/** What the local backend keeps in its folder. */
export function filesOf(home: string): Readonly<Record<'database' | 'key' | 'marketDays', string>> {
  return {
    database: join(home, 'store.db'),
    key: join(home, 'vault.key'),
    marketDays: join(home, 'market-days.json'),
  }
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
