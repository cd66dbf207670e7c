import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Ended, ended } from './command.ts'

// The real npm, and a registry on this machine with two versions of one package.

let clone: string
let registry: Server
let packages: Record<string, Buffer>

beforeEach(async () => {
  clone = mkdtempSync(join(tmpdir(), 'tokenkeeper-install-'))
  packages = { '1.0.0': packed('1.0.0'), '1.1.0': packed('1.1.0') }
  registry = createServer((request, response) => {
    const version = /some-package-(.+)\.tgz/.exec(request.url ?? '')?.[1]
    response.end(version === undefined ? manifest() : packages[version])
  }).listen(0, '127.0.0.1')
  await once(registry, 'listening')
  write('lib/cli/main.ts', 'console.log("it runs")')
  const launcher = resolve(import.meta.dirname, '../../lib/cli/launch.mjs')
  copyFileSync(launcher, join(clone, 'lib/cli/launch.mjs'))
  manifestAsks('^1.0.0')
  lock('^1.0.0', integrityOf('1.0.0'))
})
afterEach(async () => {
  registry.close()
  await once(registry, 'close')
  rmSync(clone, { recursive: true, force: true })
})

function packed(version: string): Buffer {
  write('pack/package/package.json', JSON.stringify({ name: 'some-package', version }))
  return execFileSync('tar', ['-cz', '-C', join(clone, 'pack'), 'package'])
}

const integrityOf = (version: string): string =>
  `sha512-${createHash('sha512')
    .update(packages[version] ?? '')
    .digest('base64')}`

function manifest(): string {
  const { port } = registry.address() as AddressInfo
  const versions = Object.keys(packages).map((version) => {
    const tarball = `http://127.0.0.1:${port}/some-package/-/some-package-${version}.tgz`
    const dist = { tarball, integrity: integrityOf(version) }
    return [version, { name: 'some-package', version, dist }] as const
  })
  return JSON.stringify({
    name: 'some-package',
    'dist-tags': { latest: '1.1.0' },
    versions: Object.fromEntries(versions),
  })
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(clone, path)), { recursive: true })
  writeFileSync(join(clone, path), text)
}

const manifestAsks = (range: string): void =>
  write(
    'package.json',
    JSON.stringify({ name: 'clone', version: '1.0.0', dependencies: { 'some-package': range } }),
  )

const lock = (range: string, integrity: string): void =>
  write(
    'package-lock.json',
    JSON.stringify({
      name: 'clone',
      version: '1.0.0',
      lockfileVersion: 3,
      packages: {
        '': { name: 'clone', version: '1.0.0', dependencies: { 'some-package': range } },
        'node_modules/some-package': { version: '1.0.0', integrity },
      },
    }),
  )

function launch(): Promise<Ended> {
  const { PATH, npm_execpath } = process.env
  const { port } = registry.address() as AddressInfo
  const env = {
    PATH,
    HOME: clone,
    ...(npm_execpath !== undefined && { npm_execpath }),
    npm_config_registry: `http://127.0.0.1:${port}/`,
    npm_config_cache: join(clone, 'cache'),
    npm_config_userconfig: join(clone, 'npmrc'),
    npm_config_fetch_retries: '0',
  }
  return ended(
    spawn(process.execPath, [join(clone, 'lib/cli/launch.mjs'), 'lib/cli/main.ts'], { env, cwd: clone }),
  )
}

const installed = (): string => readFileSync(join(clone, 'node_modules/some-package/package.json'), 'utf8')
const anything = (): boolean => existsSync(join(clone, 'node_modules/some-package'))

test('the version of the lockfile is installed, not the newest that would do, and the lockfile stays', async () => {
  const before = readFileSync(join(clone, 'package-lock.json'), 'utf8')
  expect(await launch()).toMatchObject({ code: 0, stdout: 'it runs\n' })
  expect(JSON.parse(installed()).version).toBe('1.0.0')
  expect(readFileSync(join(clone, 'package-lock.json'), 'utf8')).toBe(before)
})

test('what is asked for and not in the lockfile is not installed, and it says what to do', async () => {
  manifestAsks('^1.1.0')
  expect(await launch()).toMatchObject({
    code: 5,
    stdout: '',
    stderr: expect.stringMatching(
      /in sync[\s\S]*package-lock\.json does not fit package\.json.*git checkout package\.json/,
    ),
  })
  expect(anything()).toBe(false)
})

test('the same where a workspace asks, whose packages are installed like all others', async () => {
  const workspace = (range: string) => ({ name: 'apart', dependencies: { 'some-package': range } })
  const root = { name: 'clone', version: '1.0.0', workspaces: ['lib/apart'] }
  const packages = {
    '': root,
    'lib/apart': workspace('^1.0.0'),
    'node_modules/apart': { resolved: 'lib/apart', link: true },
    'node_modules/some-package': { version: '1.0.0', integrity: integrityOf('1.0.0') },
  }
  write('package.json', JSON.stringify(root))
  write('package-lock.json', JSON.stringify({ ...root, lockfileVersion: 3, packages }))
  write('lib/apart/package.json', JSON.stringify(workspace('^1.1.0')))
  expect(await launch()).toMatchObject({ code: 5, stderr: expect.stringContaining('does not fit') })
  expect(anything()).toBe(false)
  write('lib/apart/package.json', JSON.stringify(workspace('^1.0.0')))
  expect(await launch()).toMatchObject({ code: 0, stdout: 'it runs\n' })
  expect(JSON.parse(installed()).version).toBe('1.0.0')
})

test('a package that is not the one the lockfile was made with is not installed', async () => {
  lock('^1.0.0', integrityOf('1.1.0'))
  expect(await launch()).toMatchObject({
    code: 5,
    stdout: '',
    stderr: expect.stringMatching(/EINTEGRITY[\s\S]*find out why/),
  })
  expect(anything()).toBe(false)
})

test('an install that fails leaves what was there before', async () => {
  await launch()
  packages['1.1.0'] = packages['1.0.0'] as Buffer
  manifestAsks('1.1.0')
  write(
    'package-lock.json',
    readFileSync(join(clone, 'package-lock.json'), 'utf8')
      .replace('^1.0.0', '1.1.0')
      .replace(/"version":"1\.0\.0","integrity":"[^"]*"/, '"version":"1.1.0","integrity":"sha512-AAAA"'),
  )
  expect(await launch()).toMatchObject({ code: 5, stderr: expect.stringContaining('EINTEGRITY') })
  expect(JSON.parse(installed()).version).toBe('1.0.0')
})
