import { spawn } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { COMMAND, CommandLine, type Ended, ended } from './command.ts'
import { type Serving, serving } from './serving.ts'
import { setUp } from './set-up.ts'

/** The commands of the manual, as they are printed. */
const [BACK_UP = '', RESTORE = ''] = [
  ...(/## Back up and restore\n(.*?)\n## /s
    .exec(readFileSync(join(import.meta.dirname, '../../lib/local/README.md'), 'utf8'))?.[1]
    ?.matchAll(/```sh\n(.*?)```/gs) ?? []),
].map(([, block]) => block)

let line: CommandLine
let serve: Serving

/** Somebody's own folder, in which the clone is, too: `npx` there finds this Node and this command. */
beforeEach(async () => {
  line = await CommandLine.start()
  await setUp(line, 'fyers')
  await line.run(['refresh'])
  serve = await serving(line)
  symlinkSync(line.home, join(line.folder, '.tokenkeeper'))
  const npx = line.file('npx', `#!/bin/sh\nname=$1; shift\ncase $name in\n`)
  const command = COMMAND.map((word) => `'${word}'`).join(' ')
  line.file(
    'npx',
    `${readFileSync(npx, 'utf8')}node) exec '${process.execPath}' "$@" ;;\ntokenkeeper) exec ${command} "$@" ;;\nesac\n`,
  )
  chmodSync(npx, 0o755)
})
afterEach(() => line.close())

function sh(script: string): Promise<Ended> {
  const { TOKENKEEPER_HOME: _, ...env } = line.env
  const PATH = `${line.folder}:${env.PATH}`
  const home = { TOKENKEEPER_HOME: join(line.folder, '.tokenkeeper') }
  return ended(
    spawn('bash', ['-ec', script], { cwd: line.folder, env: { ...env, ...home, HOME: line.folder, PATH } }),
  )
}

const accountsIn = async (home: string) =>
  JSON.parse((await line.run(['status', '--json', '--home', home])).stdout).accounts

test('the commands of the manual copy a running store whole, and bring it back with what was in its log alone', async () => {
  await line.run(['pause', 'fyers'])
  expect(statSync(join(line.home, 'store.db-wal')).size).toBeGreaterThan(0)
  expect(await sh(BACK_UP)).toEqual({ code: 0, stdout: '', stderr: '' })
  await line.run(['resume', 'fyers'])
  await serve.stop()

  const restored = await sh(RESTORE)
  expect(restored).toMatchObject({ stderr: '', stdout: expect.stringContaining('paused') })
  expect(existsSync(join(line.folder, 'tokenkeeper-before/store.db'))).toBe(true)
  const home = join(line.folder, '.tokenkeeper')
  for (const file of ['store.db', 'vault.key']) expect(statSync(join(home, file)).mode & 0o777).toBe(0o600)
  expect(await accountsIn(home)).toMatchObject([{ account: 'fyers', state: 'paused', generation: 1 }])
  await line.run(['resume', 'fyers', '--home', home])
  expect(await line.run(['check', 'fyers', '--live', '--home', home])).toMatchObject({ code: 0 })
})

test('a copy of the two files of a running store lacks what is in its log, as the manual says', async () => {
  await line.run(['pause', 'fyers'])
  expect(await sh('mkdir plain && cp -p .tokenkeeper/{store.db,vault.key} plain')).toMatchObject({ code: 0 })
  await serve.stop()
  expect(await accountsIn(join(line.folder, 'plain'))).not.toMatchObject([{ state: 'paused' }])
})

test('the manual’s copy never replaces an older one, and of a store that is not there makes none', async () => {
  await serve.stop()
  expect(await sh(`date() { echo now; }\n${BACK_UP}`)).toMatchObject({ code: 0 })
  expect(await sh(`date() { echo now; }\n${BACK_UP}`)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('output file already exists'),
  })
  expect((await sh(BACK_UP.replaceAll('.tokenkeeper/store.db', 'elsewhere/store.db'))).code).toBe(1)
  expect(existsSync(join(line.folder, 'elsewhere'))).toBe(false)
})
