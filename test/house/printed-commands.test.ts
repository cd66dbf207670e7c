import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parsed } from '../support/parsed-command.ts'

const root = new URL('../../', import.meta.url)
const PAGES = [
  'README.md',
  ...['CHANGELOG', 'CONTRIBUTING', 'SECURITY'].map((name) => `.github/${name}.md`),
].concat(
  ['lib', 'infra', 'functions', 'test'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.md'))
      .map((path) => `${folder}/${path}`),
  ),
)

/** In a code span or a block: as it is called in a clone, as it is installed, as a server's manual calls it. */
const CALLS = /(?<![\w./@<>-])(?:npx tokenkeeper|tokenkeeper|tk) (?=[a-z-])([^`|;#\n)]+)/g
const ENDS = / (?:&&|<|>|2>|\\$).*$/
/** Of the container's own: its image and its name. */
const OTHERS = /^(docker|useradd|install|journalctl|systemctl|ReadWritePaths)\b/

const printed = PAGES.flatMap((page) => {
  const text = readFileSync(new URL(page, root), 'utf8')
    // What a shell fills in stands for an account.
    .replace(/"[^"\n]*\$[^"\n]*(?:"[^"\n]*"[^"\n]*)*"/g, 'fyers')
  const code = [...text.matchAll(/```(?:sh|bash)\n(.*?)```|`([^`\n]+)`/gs)].map(
    ([, block, span]) => block ?? span ?? '',
  )
  return code.flatMap((one) =>
    one
      .split('\n')
      .filter((line) => !OTHERS.test(line.trim()))
      .flatMap((line) => [...line.matchAll(CALLS)].map(([, words = '']) => words.replace(ENDS, '').trim()))
      .map((words) => ({ page, command: `tokenkeeper ${words}` })),
  )
})

describe('a command that a manual prints', () => {
  const commands = [...new Map(printed.map((one) => [one.command, one])).values()]

  test('is found in the manuals', () => expect(commands.length).toBeGreaterThan(40))

  test.each(commands)('$command ($page) is one the command line takes', async ({ command }) => {
    expect(await parsed(command)).toEqual(['taken'])
  })
})
