import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ALLOWED, arrows, arrowsWithin, circles, fileArrows, forbidden } from './arrows.ts'

const all = arrows()

test('no room imports from one it may not', () => expect(forbidden(all)).toEqual([]))

test('no circle leads from a room back to it', () => expect(circles(all)).toEqual([]))

test.each(['lib/tokens', 'lib/cli', 'lib/brokers'])('nor does one among the folders of %s', (room) => {
  const within = arrowsWithin(room)
  expect(within.length).toBeGreaterThan(10)
  expect(circles(within)).toEqual([])
})

describe('no circle leads from a file back to it', () => {
  const files = fileArrows()

  test('by whatever imports', () => expect(circles(files)).toEqual([]))

  test.each([
    ['what it runs', 'lib/brokers/fyers/fyers.ts', 'lib/brokers/fyers/login.ts'],
    ['a type', 'lib/ports/broker/broker.ts', 'lib/ports/broker/login.ts'],
    ['what it loads when it needs it', 'lib/cli/main.ts', 'lib/cli/status/status.ts'],
    ['what it hands on', 'functions/runtime/on-demand.ts', 'lib/site/login-links.ts'],
  ])('and a circle by %s is found', (_, from, to) => {
    expect(files).toContainEqual({ from, to, importer: from, imported: to })
    const back = { from: to, to: from, importer: to, imported: from }
    expect(circles([...files, back])).toEqual(expect.arrayContaining([from, to]))
  })
})

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

test('lib/README.md tells of each room what is allowed', () => {
  const map = readFileSync(new URL('../../lib/README.md', import.meta.url), 'utf8')
  const rows = [...map.matchAll(/^\| \[(\w+)\]\([^|]*\| [^|]* \|(?: ([^|]*))? \|$/gm)]
  const told = new Map(
    rows.map(([, room = '', may = '']) => [room, may.split(', ').filter((one) => one !== '')]),
  )
  expect(told.size).toBeGreaterThan(15)
  const rest = Object.keys(ALLOWED).filter((room) => !['lib', 'infra', 'functions', 'cli'].includes(room))
  expect(Object.fromEntries(rest.map((room) => [room, told.get(room)]))).toEqual(
    Object.fromEntries(rest.map((room) => [room, ALLOWED[room]])),
  )
})
