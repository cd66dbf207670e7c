import { existsSync, statSync } from 'node:fs'
import { filesOf } from '../../local/files.ts'
import { shellWord } from '../../model/command-words.ts'
import { type Finding, fail, pass, warn } from './finding.ts'

const NEEDED_MAJOR = 24

export function nodeFinding(): Finding {
  const { node } = process.versions
  return Number(node.split('.')[0]) >= NEEDED_MAJOR
    ? pass('node', node)
    : fail('node', `${node} is too old`, 'start it with npm run tokenkeeper, which brings its own Node')
}

/** Who may read the files of the local backend. Windows has no such modes; its users' folders are closed by default. */
export function homeFindings(home: string): readonly Finding[] {
  if (!existsSync(home)) return [pass('home', `${home} does not exist yet; the first command makes it`)]
  if (process.platform === 'win32') return [pass('home', home)]
  const { database, key } = filesOf(home)
  const files = [key, database].filter((file) => existsSync(file))
  return [
    modeOf(home) & 0o077
      ? warn('home', `${home} can be entered by others (mode ${octal(home)})`, `chmod 700 ${shellWord(home)}`)
      : pass('home', `${home}, closed to others`),
    ...files.map((file) =>
      modeOf(file) & 0o077
        ? fail('home', `${file} is open to others (mode ${octal(file)})`, `chmod 600 ${shellWord(file)}`)
        : pass('home', `${file}, mode ${octal(file)}`),
    ),
  ]
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777
}

function octal(path: string): string {
  return modeOf(path).toString(8)
}
