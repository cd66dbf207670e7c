import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const { tarball, files, packedBytes } = inject('packed')

/** All there is in the package, by folder: what no line here tells of is not published. */
const PUBLISHED: Readonly<Record<string, RegExp>> = {
  'its manifest, README and licence': /^(package\.json|README\.md|LICENSE)$/,
  'the bin': /^lib\/cli\/tokenkeeper\.mjs$/,
  'the client': /^dist\/client\/(index|chunks\/[\w.-]+-[A-Z0-9]{8})\.js$/,
  'the client’s types': /^dist\/client\/types\/[\w/-]+\.d\.ts$/,
  'the command': /^dist\/command\/(main|chunks\/[\w.-]+-[A-Z0-9]{8})\.js$/,
  'the stack': /^dist\/cdk\/index\.cjs$/,
  'the stack’s types': /^dist\/cdk\/types\/[\w/-]+\.d\.ts$/,
  'the functions': /^dist\/cdk\/functions\/([0-9a-f]{20}\.mjs|parts\.json|LICENSES\.txt)$/,
}

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-unpacked-'))
  execFileSync('tar', ['-xzf', tarball, '-C', folder])
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const text = (path: string): string => readFileSync(join(folder, 'package', path), 'utf8')
const holding = (what: RegExp | string): readonly string[] =>
  files
    .map(({ path }) => path)
    .filter((path) => (typeof what === 'string' ? text(path).includes(what) : what.test(text(path))))

describe('the tarball', () => {
  test('holds what is published and nothing else: no test, no source, no map, nobody’s accounts or configuration', () => {
    const paths = files.map(({ path }) => path)
    const patterns = Object.values(PUBLISHED)
    expect(paths.filter((path) => !patterns.some((pattern) => pattern.test(path)))).toEqual([])
    expect(
      Object.entries(PUBLISHED).flatMap(([what, pattern]) =>
        paths.some((path) => pattern.test(path)) ? [] : what,
      ),
    ).toEqual([])
    const unpacked = files.reduce((sum, { size }) => sum + size, 0)
    console.info(`packed ${(packedBytes / 1e6).toFixed(1)} MB, unpacked ${(unpacked / 1e6).toFixed(1)} MB`)
    expect(packedBytes).toBeLessThan(4e6)
    expect(unpacked).toBeLessThan(16e6)
  })

  test('says nothing of the machine it was built on, and leads to no map', () => {
    expect(holding(ROOT)).toEqual([])
    expect(holding(join(homedir(), '/'))).toEqual([])
    expect(holding(/\/\/# sourceMappingURL=/)).toEqual([])
  })

  test('holds nothing that looks like a secret', () => {
    const secret = /AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY-----[\r\n]|eyJ[\w-]{20,}\.eyJ[\w-]{20,}/
    expect(secret.test(`eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}`)).toBe(true)
    expect(holding(secret)).toEqual([])
  })

  test('passes on the licence of every package it has a copy of', () => {
    const licences = text('dist/cdk/functions/LICENSES.txt')
    for (const name of ['@aws-sdk/client-ssm', '@middy/core', 'hono', 'undici', 'zod']) {
      expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, 'm'))
    }
    expect(licences).toContain('Apache License')
  })
})

test('what its manifest names is in it', () => {
  const { exports, bin } = JSON.parse(text('package.json'))
  const named = [
    ...Object.values(exports).flatMap((entry) => Object.values(entry as object)),
    bin.tokenkeeper,
  ]
  expect(named.length).toBe(5)
  expect(named.filter((path) => !files.some((file) => file.path === path.replace(/^\.\//, '')))).toEqual([])
})
