import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, sep } from 'node:path'

/** The folder of package.json: the clone, or the package as it was installed. Compiled files may lie anywhere in it. */
export const INSTALLATION = packageAround(import.meta.dirname)

/** Where accounts and their configuration are unless the call says otherwise. */
export interface DefaultPlaces {
  readonly home: string
  readonly config: string
  /** Whether there need not be a configuration: then all brokers are on, with their defaults. */
  readonly mayLackConfig: boolean
}

/**
 * The clone's own folder, wherever the command is called from, as in a cron job. An installed package is emptied whenever
 * npm installs anew, so its accounts are in the user's folder: one place, however many projects depend on the package,
 * since an account that is kept in two loses its session to the other.
 */
export function defaultPlaces(installation = INSTALLATION, userFolder = homedir()): DefaultPlaces {
  const isClone = isCloneAt(installation)
  const home = join(isClone ? installation : userFolder, '.tokenkeeper')
  return { home, config: join(isClone ? installation : home, 'cdk.json'), mayLackConfig: !isClone }
}

/** How the stack is deployed: in the clone, or in a project that has the package and an app of its own. */
export function deployCommand(installation = INSTALLATION): string {
  return isCloneAt(installation) ? 'npm run deploy' : 'npx cdk deploy'
}

function isCloneAt(installation: string): boolean {
  return !installation.includes(`${sep}node_modules${sep}`)
}

function packageAround(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageAround(dirname(folder))
}
