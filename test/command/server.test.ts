import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { execStart, here, ROOT, wordsOf } from '../support/server-files.ts'
import { CommandLine, ended } from './command.ts'
import { setUp } from './set-up.ts'

let line: CommandLine

beforeEach(async () => {
  line = await CommandLine.start()
})
afterEach(() => line.close())

const ofTheUnit = () => execStart().split(' ')
const ofTheImage = () => [...wordsOf('ENTRYPOINT'), ...wordsOf('CMD')]

/** A process of a server in this clone, on the home of the test, with this Node in place of the image's. */
function start(words: readonly string[]): ChildProcess {
  const places = { home: line.home, config: join(ROOT, 'cdk.json') }
  const [program = '', ...args] = words.map((word) => here(word, places))
  return spawn(program === 'node' ? process.execPath : program, args, { env: line.env, cwd: '/' })
}

test.runIf(process.platform === 'linux').each([
  ['the unit', ofTheUnit],
  ['the image', ofTheImage],
])(
  'what %s starts keeps the accounts, is well to the health check, and ends with 0 at SIGTERM',
  async (_, words) => {
    await setUp(line, 'fyers')
    const port = String(await freePort())
    const child = start([...words(), '--port', port])
    const end = ended(child)
    const [check = '', ...args] = wordsOf('HEALTHCHECK').map((word) => word.replace('8787', port))
    const health = () => ended(spawn(check === 'node' ? process.execPath : check, args))
    await once(child.stdout as NodeJS.ReadableStream, 'data')
    await expect.poll(async () => (await health()).code).toBe(0)
    child.kill('SIGTERM')
    expect(await end).toMatchObject({ code: 0, stdout: expect.stringContaining('Stopped.'), stderr: '' })
    expect((await health()).code).toBe(1)
  },
)

test.runIf(process.platform === 'linux').each([
  ['the unit', ofTheUnit],
  ['the image', ofTheImage],
])('what %s starts ends with 5 where its folder is empty', async (_, words) => {
  expect(await ended(start(words()))).toMatchObject({
    code: 5,
    stdout: '',
    stderr: expect.stringContaining(`no account is set up in ${line.home}`),
  })
})
