import { expect, test } from 'vitest'
import { ALLOWED, arrows, circles, forbidden } from './arrows.ts'

const all = arrows()

test('no room imports from one it may not', () => expect(forbidden(all)).toEqual([]))

test('no circle leads from a room back to it', () => expect(circles(all)).toEqual([]))

test('what is allowed is made use of', () => {
  const used = new Set(all.map(({ from, to }) => `${from} -> ${to}`))
  const allowed = Object.entries(ALLOWED).flatMap(([from, rooms]) => rooms.map((to) => `${from} -> ${to}`))
  expect(allowed.filter((arrow) => !used.has(arrow))).toEqual([])
})

test('a forbidden arrow and a circle are found', () => {
  const back = { from: 'model', to: 'ports', importer: 'lib/model/a.ts', imported: 'lib/ports/b.ts' }
  expect(forbidden([...all, back])).toEqual([back])
  expect(circles([...all, back]).toSorted()).toEqual(['model', 'ports'])
})
