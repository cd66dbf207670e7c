import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join, sep } from 'node:path'
import { type CommandWords, shellWord } from '../../model/command-words.ts'
import { INSTALLATION } from './installation.ts'
import type { Environment, GlobalOptions } from './setting.ts'

const NAME = 'tokenkeeper'
/** npm and this project's launcher put such folders on the path of what they start, and of nothing else. */
const OF_A_PROJECT = `${sep}node_modules${sep}.bin`

export interface Surroundings {
  /** Where the command is typed. */
  readonly folder: string
  readonly env: Environment
  /** The clone this process runs from. */
  readonly installation?: string
}

/**
 * How the command is called from where this process was started, so that what it advises runs as it is printed:
 * `npx tokenkeeper` in the clone or in a project that depends on it, the bare name where that is installed, else by the
 * script's path. What this call was told about accounts elsewhere goes along.
 */
export function ownCommand(
  { backend, config, home }: Pick<GlobalOptions, 'backend' | 'config' | 'home'>,
  surroundings: Surroundings = { folder: process.env['INIT_CWD'] || process.cwd(), env: process.env },
): CommandWords {
  let call: string | undefined
  const given = { backend, config, home }
  return {
    // The file system is looked at when there is something to advise.
    get call() {
      call ??= [nameIn(surroundings), ...optionsOf(given)].join(' ')
      return call
    },
  }
}

function optionsOf(given: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name} ${shellWord(value)}`],
  )
}

function nameIn({ folder, env, installation = INSTALLATION }: Surroundings): string {
  const script = join(installation, 'lib/cli/tokenkeeper.mjs')
  const project = projectAround(folder)
  if (project !== undefined && (isSame(project, installation) || isSame(linkIn(project), script))) {
    return `npx ${NAME}`
  }
  const path = env['PATH'] ?? env['Path'] ?? ''
  const folders = path.split(delimiter).filter((one) => one !== '' && !one.endsWith(OF_A_PROJECT))
  return folders.some((one) => isSame(join(one, NAME), script) || existsSync(join(one, `${NAME}.cmd`)))
    ? NAME
    : `node ${shellWord(script)}`
}

/** The project npx looks in: the nearest folder upwards with a package.json. */
function projectAround(folder: string): string | undefined {
  if (isPackage(folder)) return folder
  const above = dirname(folder)
  return above === folder ? undefined : projectAround(above)
}

function isPackage(folder: string): boolean {
  try {
    return readFileSync(join(folder, 'package.json'), 'utf8') !== ''
  } catch {
    return false
  }
}

function linkIn(project: string): string {
  return join(project, 'node_modules/.bin', NAME)
}

function isSame(path: string, other: string): boolean {
  try {
    return realpathSync(path) === realpathSync(other)
  } catch {
    return false
  }
}
