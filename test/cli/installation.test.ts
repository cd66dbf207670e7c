import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readConfigFile } from '../../lib/cli/backend/config-file.ts'
import { defaultPlaces, INSTALLATION } from '../../lib/cli/backend/installation.ts'

const ROOT = resolve(import.meta.dirname, '../..')

describe('accounts and configuration are', () => {
  test('in the clone, wherever it is called from', () => {
    expect(INSTALLATION).toBe(ROOT)
    expect(defaultPlaces()).toEqual({ home: join(ROOT, '.tokenkeeper'), configs: [join(ROOT, 'cdk.json')] })
  })

  test.each([
    ['in a project', join('/projects', 'bot', 'node_modules', 'tokenkeeper')],
    [
      'by pnpm',
      join('/projects', 'bot', 'node_modules', '.pnpm', 'tokenkeeper@1', 'node_modules', 'tokenkeeper'),
    ],
    ['globally', join('/usr', 'lib', 'node_modules', 'tokenkeeper')],
  ])(
    'in the user’s folder where the package is installed %s: npm empties the package’s own',
    (_, package_) => {
      expect(defaultPlaces(package_, '/home/user')).toEqual({
        home: join('/home/user', '.tokenkeeper'),
        configs: [join('/home/user', '.tokenkeeper', 'cdk.json'), join(package_, 'cdk.json')],
      })
    },
  )
})

test('the configuration is the user’s where there is one, else the one that came with the package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-places-'))
  const [own, shipped] = [join(folder, 'own.json'), join(folder, 'shipped.json')]
  const written = (path: string, stackName: string) =>
    writeFileSync(path, JSON.stringify({ context: { tokenkeeper: { stackName } } }))
  written(shipped, 'Shipped')
  const places = { configs: [own, shipped] }
  expect(readConfigFile(undefined, places).stackName).toBe('Shipped')
  written(own, 'Own')
  expect(readConfigFile(undefined, places).stackName).toBe('Own')
  expect(readConfigFile(shipped, places).stackName).toBe('Shipped')
  rmSync(folder, { recursive: true })
})
