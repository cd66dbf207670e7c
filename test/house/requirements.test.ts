import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
/** How many rows each guide has, R0 to R4. */
const ROWS = [10, 8, 10, 10, 8]
const NUMBERS = ROWS.flatMap((count, guide) =>
  Array.from({ length: count }, (_, row) => `R${guide}.${row + 1}`),
)
const NUMBER = /\bR\d+\.\d+\b/g
/** What a row does not do, or does in another way, is told in its own cell. */
const EXCEPTION = /\*\*(Not yet|Difference):\*\* \S/

interface Row {
  readonly number: string
  readonly what: string
  readonly links: readonly string[]
}

/** The table of the section of test/README.md. */
function tableOf(readme: string): readonly Row[] {
  const section = /^## Requirements\n([\s\S]*?)^## /m.exec(readme)?.[1] ?? ''
  return [...section.matchAll(/^\| (R\d[\d.]*) \| ([^|]*) \| ([^|]*) \|$/gm)].map(
    ([, number = '', what = '', tests = '']) => ({
      number,
      what,
      links: [...tests.matchAll(/\]\(([^)]+)\)/g)].map(([, path = '']) => `test/${path}`),
    }),
  )
}

/** The titles in a file of tests: of `test`, of `describe`, and of those over a table of cases. */
function titlesIn(source: string): readonly string[] {
  const call = /(?:\b(?:test|describe)(?:\.\w+)*|\))\(\s*(['"`])((?:\\.|(?!\1)[^\\\n])*)\1/g
  return [...source.matchAll(call)].map(([, , title = '']) => title)
}

function numbersIn(titles: readonly string[]): readonly string[] {
  return titles.flatMap((title) => title.match(NUMBER) ?? [])
}

function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8')
}

const rows = tableOf(read('test/README.md'))

describe('the table of requirements', () => {
  test('has every row of the guides exactly once, and no other', () => {
    expect(rows.map(({ number }) => number)).toEqual(NUMBERS)
  })

  test.each(rows)(
    '$number links to files of tests whose titles have the number',
    ({ number, what, links }) => {
      expect(links.filter((path) => !existsSync(new URL(path, root)))).toEqual([])
      expect(links.filter((path) => !numbersIn(titlesIn(read(path))).includes(number))).toEqual([])
      expect(links.length > 0 || EXCEPTION.test(what)).toBe(true)
      expect(new Set(links).size).toBe(links.length)
    },
  )
})

test('no title names a row there is not', () => {
  const files = readdirSync(new URL('test/', root), { recursive: true, encoding: 'utf8' })
  const titles = files
    .filter((path) => path.endsWith('.ts') && path !== 'requirements.test.ts')
    .flatMap((path) => titlesIn(read(`test/${path}`)))
  const named = numbersIn(titles)
  expect(new Set(named).size).toBeGreaterThan(40)
  expect(named.filter((number) => !NUMBERS.includes(number))).toEqual([])
})

describe('the titles of a file of tests', () => {
  test('are found in every form they are written in', () => {
    const source = [
      "test('R0.1 one', () => {})",
      "describe.each([\n  ['R9.9 no title'],\n])('R0.2 %s', () => {})",
      'test.each<readonly [string]>([["a"]])(\n  "R0.3 it’s (so)", () => {})',
      "test.concurrent.each(rows)('R0.4 \\'quoted\\'', () => {})",
      "expect(said).toContain('R9.8 no title')",
    ]
    expect(titlesIn(source.join('\n'))).toEqual([
      'R0.1 one',
      'R0.2 %s',
      'R0.3 it’s (so)',
      "R0.4 \\'quoted\\'",
    ])
  })
})
