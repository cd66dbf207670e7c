import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sourceFiles } from './arrows.ts'

const EXPORTED = /^export (?:async )?(?:abstract )?(?:const|function|class|interface|type)\*? (\w+)/gm

/** What Lambda wants each function's entry to be called; what stands for bundling where the package is installed. */
const EXEMPT = new Set(['handler', 'bundledCode'])

/** Words of this project's own that newcomers could not guess; lib/tokens/README.md, Words, has those that are used. */
const GIVEN_UP = /\b(desks?|audiences?|climbs?|climbed|scenes?|standings?|needing)\b/i
/** Other meanings: a computer, a standing order of words. */
const FINE = /long-standing|outstanding/g

test('an exported name has one owner', () => {
  const owners = new Map<string, string[]>()
  for (const { path, text } of sourceFiles()) {
    for (const [, name = ''] of text.matchAll(EXPORTED)) {
      const files = owners.get(name) ?? []
      if (!files.includes(path)) owners.set(name, [...files, path])
    }
  }
  expect(owners.size).toBeGreaterThan(1000)
  const shared = [...owners].filter(([name, files]) => files.length > 1 && !EXEMPT.has(name))
  expect(Object.fromEntries(shared)).toEqual({})
})

test('a word that was given up does not come back', () => {
  const found = sourceFiles().flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        GIVEN_UP.test(line.replace(FINE, '')) ? [`${path}:${index + 1} ${line.trim()}`] : [],
      ),
  )
  expect(found).toEqual([])
})

test('the domain’s words are listed with a meaning each, once', () => {
  const page = readFileSync(new URL('../../lib/tokens/README.md', import.meta.url), 'utf8')
  const words = page.split('\n## Words\n')[1]?.split('\n## ')[0] ?? ''
  const listed = [...words.matchAll(/^\| \*?\*?([^|*]+?)\*?\*? \| [^|]+ \|/gm)].map(([, word]) => word)
  expect(listed.length).toBeGreaterThan(20)
  expect(new Set(listed).size).toBe(listed.length)
})
