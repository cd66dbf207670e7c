import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withoutTilde } from '../../lib/local/files.ts'
import { ConfigurationError } from '../../lib/model/errors.ts'
import { CommandLine } from '../command/command.ts'

test.each([
  ['~', homedir()],
  ['~/kept/here', join(homedir(), 'kept/here')],
  ['/var/~/x', '/var/~/x'],
  ['kept~', 'kept~'],
  ['./~kept', './~kept'],
])('%s is %s', (path, expected) => {
  expect(withoutTilde(path)).toBe(expected)
})

test('the folder of another user is not guessed', () => {
  expect(() => withoutTilde('~other/kept')).toThrow(ConfigurationError)
})

test.each<readonly [string, readonly string[], NodeJS.ProcessEnv]>([
  ['TOKENKEEPER_HOME', ['status'], { TOKENKEEPER_HOME: '~/kept' }],
  ['--home', ['status', '--home=~/kept'], {}],
])('~ in %s is the folder of whoever runs the command', async (_, args, env) => {
  const line = await CommandLine.start()
  try {
    expect(await line.run(args, { env: { HOME: line.folder, ...env } })).toMatchObject({ code: 0 })
    expect(existsSync(join(line.folder, 'kept/store.db'))).toBe(true)
    expect(existsSync(join(line.folder, '~'))).toBe(false)
  } finally {
    await line.close()
  }
})
