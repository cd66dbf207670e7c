import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { vaultKey } from '../../lib/local/vault-key.ts'
import { thrownAtOnce } from '../support/thrown.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-key-'))
  path = join(folder, 'home', 'vault.key')
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('the key of the local vault', () => {
  test('is made at the first use, for its owner alone, and is the same ever after', () => {
    const key = vaultKey(path)
    expect(key).toHaveLength(32)
    expect(vaultKey(path).equals(key)).toBe(true)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'home')).mode & 0o777).toBe(0o700)
    expect(readdirSync(join(folder, 'home'))).toEqual(['vault.key'])
  })

  test('takes away what a process left that was killed while it made one', () => {
    vaultKey(path)
    writeFileSync(join(folder, 'home', '.vault.key.0123456789ab'), 'left')
    vaultKey(path)
    expect(readdirSync(join(folder, 'home'))).toEqual(['vault.key'])
  })

  test('differs from installation to installation', () => {
    expect(vaultKey(path).equals(vaultKey(join(folder, 'other.key')))).toBe(false)
  })

  test('is refused when others could read it, with the command that helps', () => {
    vaultKey(path)
    chmodSync(path, 0o640)
    expect(() => vaultKey(path)).toThrow('mode 640')
    expect(thrownAtOnce(() => vaultKey(path))).toMatchObject({
      code: 'configuration_invalid',
      fix: `chmod 600 ${path}`,
    })
  })

  test.each([
    ['empty', ''],
    ['cut short', 'AAAA'],
    ['no base64 at all', '!'.repeat(44)],
  ])('is refused when it is %s, and is not replaced', (_, content) => {
    vaultKey(path)
    writeFileSync(path, content)
    expect(thrownAtOnce(() => vaultKey(path))).toMatchObject({ fix: expect.stringContaining('backup') })
    expect(existsSync(path) && readFileSync(path, 'utf8')).toBe(content)
  })
})
