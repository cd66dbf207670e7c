import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ended } from '../command/command.ts'

const PRELOAD = fileURLToPath(new URL('shift-clock.cjs', import.meta.url))
const DAY_MS = 24 * 60 * 60 * 1_000
const AHEAD_MS = 500 * DAY_MS

/** What a program prints that runs 500 days ahead: how far ahead each clock is, in days. */
async function aheadBy(script: string): Promise<unknown> {
  const env = { NODE_OPTIONS: `--require=${JSON.stringify(PRELOAD)}`, SHIFT_CLOCK_MS: String(AHEAD_MS) }
  const start = `const host = performance.timeOrigin + performance.now()
    const ahead = (time) => Math.round((Number(time) - host) / ${DAY_MS})`
  const child = spawn(process.execPath, ['--input-type=module', '-e', `${start}\n${script}`], {
    env,
    cwd: import.meta.dirname,
  })
  const { stdout, stderr } = await ended(child)
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout)
}

test('every way to the host’s clock is moved: Date however it is asked, and Temporal', async () => {
  const asked = await aheadBy(`
    const { Temporal } = await import('temporal-polyfill')
    class Own extends Date {}
    console.log(JSON.stringify([
      Date.now(), new Date(), Date.parse(Date()), new Own(), new (new Date().constructor)(),
      Temporal.Now.instant().epochMilliseconds,
    ].map(ahead)))`)
  expect(asked).toEqual([500, 500, 500, 500, 500, 500])
})

test('a date that is given is not moved, and what Node makes is a Date', async () => {
  const asked = await aheadBy(`
    import { statSync } from 'node:fs'
    const { mtime } = statSync('.')
    console.log(JSON.stringify([+new Date(0), Date.UTC(1970, 0, 2), mtime instanceof Date, Date.length]))`)
  expect(asked).toEqual([0, DAY_MS, true, 7])
})

test('workers and children live on the same day', async () => {
  const asked = await aheadBy(`
    import { execFileSync } from 'node:child_process'
    import { once } from 'node:events'
    import { Worker } from 'node:worker_threads'
    const text = "import { parentPort } from 'node:worker_threads'; parentPort.postMessage(Date.now())"
    const [inWorker] = await once(new Worker(text, { eval: true }), 'message')
    const inChild = execFileSync(process.execPath, ['-p', 'Date.now()'], { encoding: 'utf8' })
    console.log(JSON.stringify([inWorker, inChild].map(ahead)))`)
  expect(asked).toEqual([500, 500])
})
