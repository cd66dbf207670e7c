/** `npm run test:aws`: sets the emulators up if need be, then runs the tests against them. Arguments go to vitest. */
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { makeEnvironment } from './support/python-environment.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const VITEST = resolve(ROOT, 'node_modules/vitest/vitest.mjs')

try {
  makeEnvironment((text) => process.stderr.write(`${text}\n`))
  const args = ['run', '--config', 'vitest.aws.config.ts', ...process.argv.slice(2)]
  const { status } = spawnSync(process.execPath, [VITEST, ...args], { cwd: ROOT, stdio: 'inherit' })
  process.exitCode = status ?? 1
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
