/** `npm run graph`: prints which room imports from which, how often, and fails on what is not allowed and on circles. */
import { arrows, circles, fileArrows, forbidden } from './arrows.ts'

const all = arrows()
const byRoom = Map.groupBy(all, ({ from }) => from)
const width = Math.max(...[...byRoom.keys()].map(({ length }) => length))
for (const from of [...byRoom.keys()].toSorted()) {
  const counts = Map.groupBy(byRoom.get(from) ?? [], ({ to }) => to)
  const said = [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([to, list]) => `${to} ${list.length}`)
  process.stdout.write(`${from.padEnd(width)}  ${said.join(', ')}\n`)
}
const wrong = forbidden(all)
for (const { from, to, importer, imported } of wrong) {
  process.stderr.write(`Not allowed: ${from} imports ${to}: ${importer} -> ${imported}\n`)
}
const circling = [...circles(all), ...circles(fileArrows())]
for (const name of circling) process.stderr.write(`A circle leads through ${name}\n`)
if (wrong.length > 0 || circling.length > 0) process.exitCode = 1
