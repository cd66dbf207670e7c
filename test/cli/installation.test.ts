import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { BROKER_IDS } from '../../lib/brokers/index.ts'
import { readConfigFile } from '../../lib/cli/backend/config-file.ts'
import { defaultPlaces, deployCommand, INSTALLATION } from '../../lib/cli/backend/installation.ts'
import { enabledBrokers } from '../../lib/config.ts'

const ROOT = resolve(import.meta.dirname, '../..')

describe('accounts and configuration are', () => {
  test('in the clone, wherever it is called from', () => {
    expect(INSTALLATION).toBe(ROOT)
    expect(defaultPlaces()).toEqual({
      home: join(ROOT, '.tokenkeeper'),
      config: join(ROOT, 'cdk.json'),
      mayLackConfig: false,
    })
  })

  test.each([
    ['in a project', ['/projects', 'bot', 'node_modules', 'tokenkeeper']],
    [
      'by pnpm',
      ['/projects', 'bot', 'node_modules', '.pnpm', 'tokenkeeper@1', 'node_modules', 'tokenkeeper'],
    ],
    ['globally', ['/usr', 'lib', 'node_modules', 'tokenkeeper']],
  ])('in the user’s folder where the package is installed %s: npm empties the package’s own', (_, path) => {
    expect(defaultPlaces(join(...path), '/home/user')).toEqual({
      home: join('/home/user', '.tokenkeeper'),
      config: join('/home/user', '.tokenkeeper', 'cdk.json'),
      mayLackConfig: true,
    })
  })
})

test('the stack is deployed as it can be from there', () => {
  expect(deployCommand()).toBe('npm run deploy')
  expect(deployCommand(join('/projects', 'bot', 'node_modules', 'tokenkeeper'))).toBe('npx cdk deploy')
})

describe('without --config', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-places-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('an installed package has every broker on until its user writes a configuration', () => {
    const places = { config: join(folder, 'cdk.json'), mayLackConfig: true }
    const brokers = enabledBrokers(readConfigFile(undefined, places)).map(({ broker }) => broker.id)
    expect(brokers).toEqual(BROKER_IDS)
    writeFileSync(places.config, JSON.stringify({ context: { tokenkeeper: { stackName: 'Own' } } }))
    expect(readConfigFile(undefined, places)).toMatchObject({ stackName: 'Own', brokers: {} })
    writeFileSync(places.config, '{')
    expect(() => readConfigFile(undefined, places)).toThrow(`${places.config} is no JSON`)
  })

  test('a clone whose configuration is gone says so', () => {
    const places = { config: join(folder, 'gone', 'cdk.json'), mayLackConfig: false }
    expect(() => readConfigFile(undefined, places)).toThrow('the configuration file cdk.json cannot be read')
  })
})
