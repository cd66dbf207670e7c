import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CommandLine, type Ended } from './command.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const SCRIPT = join(ROOT, 'lib/cli/tokenkeeper.mjs')

let line: CommandLine

beforeAll(async () => {
  line = await CommandLine.start()
})
afterAll(() => line.close())

/** As typed in a shell, in a folder. */
function typed(command: string, cwd: string, path = ''): Promise<Ended> {
  const PATH = [path, dirname(process.execPath), line.env['PATH']].filter(Boolean).join(':')
  return new Promise((resolve) => {
    execFile('sh', ['-c', command], { cwd, env: { ...line.env, PATH } }, (error, stdout, stderr) =>
      resolve({ code: error ? (error.code as unknown as number) : 0, stdout, stderr }),
    )
  })
}

/** What a Fix line says to run. */
function advised({ stderr }: Ended): string {
  return /^Fix: .*\brun (.*)$/m.exec(stderr)?.[1] ?? ''
}

test('in the clone the advice is npx, and runs as it is printed', async () => {
  const done = await typed('npx tokenkeeper status zerodha/CLONE', ROOT)
  expect(advised(done)).toBe('npx tokenkeeper setup zerodha/CLONE')
  expect(await typed(`${advised(done)} --managed-by external`, ROOT)).toMatchObject({ code: 0 })
  expect(await typed('npx tokenkeeper status zerodha/CLONE', ROOT)).toMatchObject({ code: 0 })
})

test('where it is installed the advice is the bare name, and runs as it is printed', async () => {
  const bin = join(line.folder, 'bin')
  mkdirSync(bin)
  symlinkSync(SCRIPT, join(bin, 'tokenkeeper'))
  const done = await typed('tokenkeeper status zerodha/BARE', line.folder, bin)
  expect(advised(done)).toBe('tokenkeeper setup zerodha/BARE')
  expect(await typed(`${advised(done)} --managed-by external`, line.folder, bin)).toMatchObject({ code: 0 })
})

test('anywhere else it is the script, with the accounts the call was about, and runs as it is printed', async () => {
  const home = join(line.folder, "another's home")
  const done = await typed(`node ${SCRIPT} status zerodha/X --home "${home}"`, line.folder)
  expect(advised(done)).toBe(`node ${SCRIPT} --home '${home.replace("'", String.raw`'\''`)}' setup zerodha/X`)
  expect(await typed(`${advised(done)} --managed-by external`, line.folder)).toMatchObject({ code: 0 })
  const shown = await typed(`node ${SCRIPT} status --json --home "${home}"`, line.folder)
  expect(JSON.parse(shown.stdout).accounts).toMatchObject([{ account: 'zerodha/X' }])
})

test('what is printed as JSON says the same', async () => {
  const done = await typed(`node ${SCRIPT} status zerodha/Y --json`, line.folder)
  expect(JSON.parse(done.stdout).error.fix).toContain(`run node ${SCRIPT} setup zerodha/Y`)
})
