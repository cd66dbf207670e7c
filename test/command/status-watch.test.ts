import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CommandLine, ended } from './command.ts'
import { heard } from './heard.ts'
import { onTerminal, setUp } from './set-up.ts'

let line: CommandLine

beforeEach(async () => {
  line = await CommandLine.start()
  await setUp(line, 'fyers')
})
afterEach(() => line.close())

async function watching(...args: string[]) {
  const child = line.spawn(['status', '--watch', '0.1', ...args])
  const end = ended(child)
  const { saying } = heard(child, [child.stdout])
  const stop = () => {
    child.kill('SIGINT')
    return end
  }
  return { child, saying, stop }
}

test('R1.7 piped it prints a line for an account when something has changed, and ends at Ctrl-C with 0', async () => {
  const watch = await watching()
  await watch.saying(/fyers {2}no token yet/)
  await line.run(['refresh', 'fyers'])
  await watch.saying(/fyers {2}live {2}until Tue 24 Nov 06:00 IST/)
  await setUp(line, 'zerodha')
  await watch.saying(/zerodha {2}no token yet/)
  await line.run(['remove', 'zerodha', '--yes'])
  await watch.saying(/zerodha {2}removed/)
  const { code, stdout, stderr } = await watch.stop()
  expect(code).toBe(0)
  expect(stderr).toBe('')
  const said = stdout.trim().split('\n')
  // What a run does to the record in between may be seen or not; nothing is said twice.
  expect(new Set(said.map((one) => one.replace(/^.*IST {2}(?=fyers|zerodha)/, ''))).size).toBe(said.length)
  expect(said.length).toBeLessThanOrEqual(6)
})

test('R1.7 --json prints an object on a line for each change', async () => {
  const watch = await watching('--json')
  await watch.saying(/"missing"/)
  await line.run(['refresh', 'fyers'])
  await watch.saying(/"fresh"/)
  const { code, stdout } = await watch.stop()
  expect(code).toBe(0)
  const objects = stdout
    .trim()
    .split('\n')
    .map((one) => JSON.parse(one))
  expect(objects.at(0)).toMatchObject({ account: 'fyers', state: 'missing', live: false })
  expect(objects.at(-1)).toMatchObject({ account: 'fyers', state: 'fresh', live: true, generation: 1 })
})

test('whoever stops reading ends it', async () => {
  const { child } = await watching()
  child.stdout?.destroy()
  const refreshed = line.run(['refresh', 'fyers'])
  const [code] = await once(child, 'exit')
  expect(code).toBe(0)
  await refreshed
})

test('on a terminal it draws the status in place, and leaves it there at Ctrl-C', async () => {
  const done = await onTerminal(line, ['status', '--watch', '0.1'], { stopAfter: 'Ctrl-C ends it' })
  expect(done.code).toBe(0)
  expect(done.stdout).toContain('no token yet')
  expect(done.stdout).toContain('Looking every 0.1 s')
  // The cursor is back.
  expect(done.stdout.trimEnd().endsWith('\u001b[?25h')).toBe(true)
})

test('a wrong number of seconds is wrong usage', async () => {
  expect(await line.run(['status', '--watch', 'fyers'])).toMatchObject({ code: 2, stdout: '' })
})
