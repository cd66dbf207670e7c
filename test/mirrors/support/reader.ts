import { readFileSync } from 'node:fs'

/**
 * Reads a file over and over in a process of its own, and counts the texts that are no whole lines. Says when it has
 * read often enough to mean something.
 */
const ENOUGH = 100
const [path = ''] = process.argv.slice(2)
let reads = 0
let torn = 0
let stopped = false
process.on('message', () => {
  stopped = true
})
process.send?.('ready')
while (!stopped) {
  try {
    const text = readFileSync(path, 'utf8')
    reads += 1
    if (reads === ENOUGH) process.send?.('enough')
    if (!/^([A-Z0-9_]+='[^'\n]+'\n){1,2}$/.test(text)) torn += 1
  } catch {
    // Not made yet.
  }
  await new Promise((resolve) => setImmediate(resolve))
}
process.send?.({ torn })
process.disconnect()
