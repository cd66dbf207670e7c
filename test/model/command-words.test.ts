import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COMMAND_NAMES, commandsIn, shellWord, worded } from '../../lib/model/command-words.ts'
import { parsed } from '../support/parsed-command.ts'

const ROOT = resolve(import.meta.dirname, '../..')

describe('a text that names commands', () => {
  const fix = 'run tokenkeeper setup iifl/1, or store a token: tokenkeeper put iifl/1 access_token.'

  test('has them as they run where it is read, and nothing else changed', () => {
    expect(worded(fix, { call: 'npx tokenkeeper --backend aws' })).toBe(
      'run npx tokenkeeper --backend aws setup iifl/1, or store a token: npx tokenkeeper --backend aws put iifl/1 access_token.',
    )
  })

  test('has what to do instead where none does anything', () => {
    const instead = 'open http://127.0.0.1:8787/login'
    expect(worded('log in at FYERS: tokenkeeper login fyers', { instead })).toBe(
      `log in at FYERS: ${instead}`,
    )
    expect(worded(fix, { instead })).toBe(`${instead}, or store a token: ${instead}.`)
  })

  test.each([
    { call: 'npx tokenkeeper' },
    { call: 'npx tokenkeeper --backend aws' },
    { call: "node '/a b/lib/cli/tokenkeeper.mjs'" },
    { call: 'tokenkeeper --home /tmp/x' },
    { instead: 'open http://127.0.0.1:8787/login' },
  ])('is put into words once, however often it passes: %o', (words) => {
    const once = worded(fix, words)
    expect(worded(once, words)).toBe(once)
    expect(worded(once, { call: 'npx tokenkeeper' })).toBe(
      'call' in words && words.call === 'tokenkeeper' ? fix : once,
    )
  })

  test('is left alone where it is about the program', () => {
    for (const text of ['a tokenkeeper of this version', '/opt/tokenkeeper login', 'tokenkeepers refresh']) {
      expect(worded(text, { call: 'npx tokenkeeper' })).toBe(text)
    }
  })

  test.each([
    ['see tokenkeeper alerts list: the link may be old', ['tokenkeeper alerts list']],
    ['(tokenkeeper refresh a/B.C --force)', ['tokenkeeper refresh a/B.C --force']],
    ["tokenkeeper setup 'a b' --option x=y; else", ["tokenkeeper setup 'a b' --option x=y"]],
    ['\u001b[1mtokenkeeper login fyers\u001b[22m', ['tokenkeeper login fyers']],
    [
      'tokenkeeper login x --print-url, then tokenkeeper login x --code -',
      ['tokenkeeper login x --print-url', 'tokenkeeper login x --code -'],
    ],
  ])('%s', (text, commands) => expect(commandsIn(text)).toEqual(commands))
})

test.each(['fyers', "o'neil & sons", '$(touch x)', 'a b', '`id`', ''])(
  'a shell takes %j for one word',
  (text) => {
    const said = execFileSync('sh', ['-c', `printf %s ${shellWord(text)}`], { encoding: 'utf8' })
    expect(said).toBe(text)
  },
)

/** What stands in texts in place of an account, a value of ours or a number. */
const FILLED: Readonly<Record<string, string>> = {
  "isDue ? '' : ' --force'": '',
  '{account}': 'fyers',
  scope: 'status',
  'port + 1': '8788',
  step: '--print-url',
  id: 'abcdefgh',
  name: 'pin',
  PROGRAM: 'tokenkeeper',
}

/** Every command that a text of the software names, with an invented value for what is filled in. */
const named = ['lib', 'functions', 'infra'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file))
    .flatMap((file) => {
      const source = withoutComments(readFileSync(join(ROOT, folder, file), 'utf8'))
      // A template's gaps, innermost braces last; a placeholder of the domain as well.
      const filled = source
        .replace(/\$\{((?:[^{}`]|\{[^{}]*\})*)\}/g, (_, gap: string) => FILLED[gap] ?? 'fyers')
        .replaceAll('{account}', 'fyers')
        .replaceAll('\\`', '`')
      return commandsIn(unquoted(filled)).map((command) => ({ command, file: `${folder}/${file}` }))
    }),
)

/** A text in quotation marks does not go on behind them. */
function unquoted(source: string): string {
  return source.replace(/(?<=\w)'|'(?=[,;)\s}\]])/g, '\n')
}

function withoutComments(source: string): string {
  return source.replace(/^\s*(?:\/\*\*?|\*|\/\/).*$/gm, '').replace(/\/\*\*.*?\*\//g, '')
}

describe('a command that is advised', () => {
  const commands = [...new Map(named.map((one) => [one.command, one])).values()]

  test('is found in the sources', () => expect(commands.length).toBeGreaterThan(25))

  test.each(commands)('$command ($file) is one the command line takes', async ({ command }) => {
    expect(await parsed(command)).toEqual(['taken'])
  })

  test('is looked for among all there are', async () => {
    const { program } = await import('../../lib/cli/main.ts')
    expect(program.commands.map((one) => one.name()).toSorted()).toEqual(COMMAND_NAMES)
  })
})
