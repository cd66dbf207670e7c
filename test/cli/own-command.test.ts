import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ownCommand } from '../../lib/cli/backend/own-command.ts'

let folder: string
let installation: string
let script: string

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "tokenkeeper's own ")))
  installation = made('clone')
  script = join(made('clone/lib/cli'), 'tokenkeeper.mjs')
  writeFileSync(script, '')
  writeFileSync(join(installation, 'package.json'), '{}')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function made(path: string): string {
  const whole = join(folder, path)
  mkdirSync(whole, { recursive: true })
  return whole
}

function linked(path: string): string {
  const bin = made(path)
  symlinkSync(script, join(bin, 'tokenkeeper'))
  return bin
}

function called(from: string, PATH = '/usr/bin', options = {}): unknown {
  return ownCommand(options, { folder: from, env: { PATH }, installation })
}

describe('the command is called', () => {
  test('with npx in the clone and in its folders', () => {
    expect(called(installation)).toEqual({ call: 'npx tokenkeeper' })
    expect(called(made('clone/accounts'))).toEqual({ call: 'npx tokenkeeper' })
  })

  test('with npx in a project that depends on it', () => {
    const project = made('project')
    writeFileSync(join(project, 'package.json'), '{}')
    const bin = linked('project/node_modules/.bin')
    // npx puts this on the path of what it starts; the shell behind it has it not.
    expect(called(project, bin)).toEqual({ call: 'npx tokenkeeper' })
    expect(called(made('elsewhere'), bin)).toMatchObject({ call: expect.stringMatching(/^node /) })
  })

  test('by its bare name where it is installed', () => {
    const path = ['/nonexistent', linked('bin')].join(delimiter)
    expect(called(made('elsewhere'), path)).toEqual({ call: 'tokenkeeper' })
  })

  test('by its script anywhere else, another program of that name on the path or not', () => {
    writeFileSync(join(made('other-bin'), 'tokenkeeper'), '')
    const quoted = `'${script.replaceAll("'", String.raw`'\''`)}'`
    expect(called(made('elsewhere'), join(folder, 'other-bin'))).toEqual({ call: `node ${quoted}` })
  })

  test('with what it was told of where the accounts are', () => {
    expect(called(installation, '', { backend: 'aws', home: '/srv/my keys' })).toEqual({
      call: "npx tokenkeeper --backend aws --home '/srv/my keys'",
    })
  })
})
