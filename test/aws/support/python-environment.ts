import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const REQUIREMENTS = resolve(import.meta.dirname, '../requirements.txt')
const STAMP = 'tokenkeeper-requirements.sha256'
const PYTHON_TOO_OLD = 'sys.version_info < (3, 10)'

/** Where the virtual environment is, or will be. */
function environmentFolder(): string {
  return resolve(process.env['TOKENKEEPER_VENV'] ?? resolve(import.meta.dirname, '../../../.venv'))
}

/** The path of a program of the virtual environment. Throws an error that says how to make the environment. */
export function emulatorProgram(name: string): string {
  const program = join(environmentFolder(), 'bin', name)
  if (existsSync(program)) return program
  throw new Error(`${program} is missing: the AWS emulators are set up and run by \`npm run test:aws\``)
}

/**
 * Makes the virtual environment the emulators run from, unless it is there and up to date. Needs python3 and, the
 * first time, the network. Throws an error that says what to install.
 */
export function makeEnvironment(say: (text: string) => void): void {
  const folder = environmentFolder()
  const wanted = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex')
  const stamp = join(folder, STAMP)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && runs(join(folder, 'bin/python'))) return

  checkPython()
  // Only a folder that is a virtual environment is replaced: TOKENKEEPER_VENV may be a typing mistake.
  if (existsSync(folder) && !existsSync(join(folder, 'pyvenv.cfg'))) {
    throw new Error(`${folder} is no virtual environment of Python: move it away, or set TOKENKEEPER_VENV`)
  }
  rmSync(folder, { recursive: true, force: true })
  say(`Setting up the AWS emulators in ${folder} (about half a minute, once) ...`)
  run('python3', ['-m', 'venv', folder])
  run(join(folder, 'bin/python'), [
    ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', REQUIREMENTS],
  ])
  writeFileSync(stamp, wanted)
}

function checkPython(): void {
  if (!runs('python3')) throw new Error('python3 was not found: install Python 3.10 or newer')
  if (evaluates(PYTHON_TOO_OLD)) throw new Error('python3 is too old: install Python 3.10 or newer')
  if (!imports('venv') || !imports('ensurepip')) {
    throw new Error(
      "Python's venv module is incomplete: on Debian and Ubuntu run `apt-get install python3-venv`, elsewhere reinstall Python",
    )
  }
}

function runs(python: string): boolean {
  return spawnSync(python, ['--version']).status === 0
}

function imports(module: string): boolean {
  return spawnSync('python3', ['-c', `import ${module}`]).status === 0
}

function evaluates(condition: string): boolean {
  return spawnSync('python3', ['-c', `import sys; sys.exit(0 if ${condition} else 1)`]).status === 0
}

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status === 0) return
  throw new Error(
    `this failed: ${[command, ...args].join(' ')}\nIf the network was the reason, run it again.`,
  )
}
