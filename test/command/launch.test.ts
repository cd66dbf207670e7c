import { spawn } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Ended, ended } from './command.ts'

const CLI = resolve(import.meta.dirname, '../../lib/cli')

const BUNDLED_NODE = `node_modules/node-${process.platform}-${process.arch}`

/** A clone in a folder of its own, with a stand-in for npm that only notes its arguments and "installs". */
let clone: string

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'tokenkeeper-launch-'))
  write(
    'lib/cli/main.ts',
    'const args: string[] = process.argv.slice(2)\nconsole.log(JSON.stringify({ args, node: process.execPath, path: process.env.PATH }))\nprocess.exitCode = Number(args[0] ?? 0)\n',
  )
  for (const file of ['launch.mjs', 'tokenkeeper.mjs'])
    copyFileSync(join(CLI, file), join(clone, 'lib/cli', file))
  write('package.json', '{"devDependencies":{"some-package":"1.0.0"}}')
  write('package-lock.json', lockfile('1.0.0'))
  write(
    'npm-cli.js',
    `const fs = require('node:fs')
fs.appendFileSync(${JSON.stringify(join(clone, 'npm-was-called'))}, process.argv.slice(2).join(' ') + '\\n')
if (process.argv[2] === 'ci') process.exit(0)
fs.mkdirSync('node_modules', { recursive: true })
fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json')`,
  )
})
afterEach(() => rmSync(clone, { recursive: true, force: true }))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(clone, path)), { recursive: true })
  writeFileSync(join(clone, path), text)
}

function lockfile(version: string, otherPlatform = '1.0.0'): string {
  return JSON.stringify({
    packages: {
      '': { name: 'clone' },
      'node_modules/some-package': { version },
      'node_modules/for-another-platform': { version: otherPlatform, optional: true },
      'node_modules/a-tool': { version: '1.0.0', dev: true },
    },
  })
}

function installed(version: string, names = ['some-package', 'a-tool']): void {
  const packages = Object.fromEntries(
    names.map((name) => [`node_modules/${name}`, { version: name === 'a-tool' ? '1.0.0' : version }]),
  )
  write('node_modules/.package-lock.json', JSON.stringify({ packages }))
}

function launch(
  args: readonly string[],
  script = 'launch.mjs',
  more: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const env = { ...process.env, npm_execpath: join(clone, 'npm-cli.js'), ...more }
  return ended(spawn(process.execPath, [join(clone, 'lib/cli', script), ...args], { env, cwd: tmpdir() }))
}

const npmWasCalled = (): boolean => existsSync(join(clone, 'npm-was-called'))

test('installs what is missing, says so on stderr, then runs the entry with its arguments and exit code', async () => {
  const done = await launch(['lib/cli/main.ts', '3', 'two words'])
  expect(npmWasCalled()).toBe(true)
  expect(done.stderr).toContain('Installing dependencies')
  expect(JSON.parse(done.stdout).args).toEqual(['3', 'two words'])
  expect(done.code).toBe(3)
})

test('installs nothing when all that the lockfile wants is there, other platforms aside', async () => {
  installed('1.0.0')
  expect(await launch(['lib/cli/main.ts'])).toMatchObject({ code: 0, stderr: '' })
  expect(npmWasCalled()).toBe(false)
})

test('installs again when the lockfile wants another version', async () => {
  installed('0.9.0')
  await launch(['lib/cli/main.ts'])
  expect(npmWasCalled()).toBe(true)
})

test('installs again when an optional package is here in another version', async () => {
  installed('1.0.0', ['some-package', 'a-tool', 'for-another-platform'])
  await launch(['lib/cli/main.ts'])
  expect(npmWasCalled()).toBe(false)
  write('package-lock.json', lockfile('1.0.0', '1.0.1'))
  await launch(['lib/cli/main.ts'])
  expect(npmWasCalled()).toBe(true)
})

test('under an old Node the one of the lockfile is installed, and its absence then told in words', async () => {
  installed('1.0.0')
  const lock = JSON.parse(lockfile('1.0.0'))
  lock.packages[BUNDLED_NODE] = { version: '24.0.0', optional: true }
  write('package-lock.json', JSON.stringify(lock))
  expect(await launch(['lib/cli/main.ts'])).toMatchObject({ code: 0, stderr: '' })
  write('old.cjs', "Object.defineProperty(process, 'versions', { value: { node: '20.0.0' } })")
  const done = await launch(['lib/cli/main.ts'], 'launch.mjs', {
    NODE_OPTIONS: `--require=${join(clone, 'old.cjs')}`,
  })
  expect(npmWasCalled()).toBe(true)
  expect(done).toMatchObject({ code: 5, stderr: expect.stringContaining(`${BUNDLED_NODE} is not there`) })
})

test('main.ts started by itself under an older Node names the one it needs, and nothing else', async () => {
  write(
    'old.cjs',
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '23.11.1' } })",
  )
  const args = ['--require', join(clone, 'old.cjs'), join(CLI, 'main.ts'), '--version']
  expect(await ended(spawn(process.execPath, args, { cwd: tmpdir() }))).toEqual({
    code: 5,
    stdout: '',
    stderr: expect.stringMatching(
      /^This project needs Node 24, and this is 23\.11\.1\. Fix: .*npx tokenkeeper.*\n$/,
    ),
  })
})

test('runs the program without development tools, but installs them for a tool', async () => {
  installed('1.0.0', ['some-package'])
  await launch(['lib/cli/main.ts'])
  expect(npmWasCalled()).toBe(false)
  await launch(['a-tool'])
  expect(npmWasCalled()).toBe(true)
})

test('prefers the Node of the project and puts its tools in front of PATH, that Node among them', async () => {
  installed('1.0.0')
  const bundled = join(clone, BUNDLED_NODE, 'bin/node')
  mkdirSync(dirname(bundled), { recursive: true })
  symlinkSync(process.execPath, bundled)
  chmodSync(bundled, 0o755)
  write('node_modules/some-package/package.json', '{"bin":{"some-tool":"cli.js"}}')
  write(
    'node_modules/some-package/cli.js',
    'console.log(process.argv0, process.argv.slice(2).join(), process.env.PATH)',
  )
  const { stdout } = await launch(['some-tool', 'run'])
  expect(stdout).toContain(
    `${bundled} run ${[join(clone, 'node_modules/.bin'), dirname(bundled)].join(delimiter)}`,
  )
})

test('a tool that does not exist is told in words', async () => {
  installed('1.0.0')
  expect(await launch(['nonsense'])).toMatchObject({ code: 5, stderr: expect.stringContaining('"nonsense"') })
})

test('the bin of the package is the command line', async () => {
  installed('1.0.0')
  const { stdout } = await launch(['0', '--json'], 'tokenkeeper.mjs')
  expect(JSON.parse(stdout).args).toEqual(['0', '--json'])
})

test('a package that was installed from Git, and so was never built, says how it is made', async () => {
  rmSync(join(clone, 'lib/cli/main.ts'))
  expect(await launch(['status'], 'tokenkeeper.mjs')).toEqual({
    code: 5,
    stdout: '',
    stderr: expect.stringMatching(
      /^This tokenkeeper was installed without having been built\. Fix: npm pack .*\n$/,
    ),
  })
})

test('passes a termination on and ends as its child does', async () => {
  installed('1.0.0')
  write(
    'lib/cli/main.ts',
    "process.on('SIGTERM', () => process.exit(7))\nconsole.log('ready')\nsetInterval(() => undefined, 1000)\n",
  )
  const child = spawn(process.execPath, [join(clone, 'lib/cli/launch.mjs'), 'lib/cli/main.ts'])
  child.stdout.once('data', () => child.kill('SIGTERM'))
  expect((await ended(child)).code).toBe(7)
})
