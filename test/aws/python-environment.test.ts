import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emulatorProgram } from './support/python-environment.ts'

const SCRIPT = resolve(import.meta.dirname, 'run.ts')

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-python-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

/** Sets the environment up on a machine whose python3 is the given shell script, or which has none. */
function setUp(python3?: string) {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  if (python3 !== undefined) {
    writeFileSync(join(bin, 'python3'), `#!/bin/sh\n${python3}\n`)
    chmodSync(join(bin, 'python3'), 0o755)
  }
  const env = { PATH: bin, TOKENKEEPER_VENV: join(folder, 'venv') }
  return spawnSync(process.execPath, [SCRIPT], { env, encoding: 'utf8' })
}

test.each([
  ['there is no Python', undefined, 'python3 was not found'],
  ['Python is too old', 'exit 0', 'too old: install Python 3.10'],
  [
    'Debian left ensurepip out',
    'case "$2" in *ensurepip*|*version_info*) exit 1;; esac',
    'apt-get install python3-venv',
  ],
])('when %s the set-up says what to install', (_, python3, message) => {
  const { status, stderr } = setUp(python3)
  expect(stderr).toContain(message)
  expect(status).toBe(1)
})

test('a folder that is something else is never replaced', () => {
  const precious = join(folder, 'venv', 'precious.txt')
  mkdirSync(join(folder, 'venv'))
  writeFileSync(precious, 'mine')
  const { status, stderr } = setUp('case "$2" in *version_info*) exit 1;; esac')
  expect(stderr).toContain('is no virtual environment')
  expect(status).toBe(1)
  expect(existsSync(precious)).toBe(true)
})

test('a test that is run before the set-up names the command that does it', () => {
  const before = process.env['TOKENKEEPER_VENV']
  process.env['TOKENKEEPER_VENV'] = folder
  expect(() => emulatorProgram('moto_server')).toThrow('npm run test:aws')
  if (before === undefined) delete process.env['TOKENKEEPER_VENV']
  else process.env['TOKENKEEPER_VENV'] = before
})
