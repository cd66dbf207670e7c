import { Temporal } from 'temporal-polyfill'
import { expect, test } from 'vitest'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import { RefreshProgress } from '../../lib/cli/refresh/progress.ts'
import { type Terminal, terminal } from '../../lib/cli/terminal/terminal.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { newAccountState } from '../../lib/model/account-state.ts'
import { reportLine } from '../../lib/tokens/rules/outcome/report-line.ts'

const ACC1 = parseAccountId('upstox/ACC1')
const ACC2 = parseAccountId('upstox/ACC2')
const UP_AND_ERASED = '\u001b[1A\u001b[2K'

interface Screen {
  readonly progress: RefreshProgress
  /** Everything that was written so far, colours left out. */
  readonly written: () => string
}

/** A screen that takes everything as it is written, of this many columns; none is a pipe. */
function screen(columns?: number): Screen {
  let text = ''
  const isTTY = columns !== undefined
  const write = (chunk: string): void => {
    text += chunk
  }
  const stream = { isTTY, columns, rows: 24, write }
  const shown: Terminal = terminal({}, { stdin: stream, stdout: stream, stderr: stream } as never)
  const progress = new RefreshProgress({ ...shown, columns: shown.columns, style: (_, word) => word })
  return { progress, written: () => text }
}

function finished(account: typeof ACC1, outcome: 'refreshed' | 'failed', reason: string) {
  const result = reportLine(
    upstox,
    newAccountState(account),
    { outcome, reason },
    Temporal.Instant.from('2026-11-23T03:00:00Z'),
  )
  return { event: 'finished', account, result } as const
}

test('R0.4 on a terminal each account has a line that changes in place, and none is left at the end', () => {
  const { progress, written } = screen(60)
  progress.on({ event: 'started', account: ACC1, attempt: 1 })
  progress.on({ event: 'started', account: ACC2, attempt: 2 })
  expect(written()).toContain('. upstox/ACC1  working\n. upstox/ACC2  working, try 2\n')
  progress.on(finished(ACC1, 'refreshed', 'no access token is stored'))
  expect(written()).toContain(
    `${UP_AND_ERASED.repeat(2)}+ upstox/ACC1  refreshed: no access token is stored\n. upstox/ACC2  working, try 2\n`,
  )
  const before = written().length
  progress.close()
  expect(written().slice(before)).toContain(UP_AND_ERASED.repeat(2))
})

test('R0.4 a line fits the terminal, whatever there is to say', () => {
  const { progress, written } = screen(40)
  progress.on(finished(ACC1, 'failed', 'because '.repeat(30)))
  const [line = ''] = written().split('\n').slice(-2)
  expect(line.length).toBeLessThan(60)
  expect(line).toContain('x upstox/ACC1  failed: because')
})

test('R0.4 R1.8 in a pipe there is one plain line for each account that ended, and one for a pause', () => {
  const { progress, written } = screen()
  progress.on({ event: 'started', account: ACC1, attempt: 1 })
  const until = Temporal.Instant.from('2026-11-23T02:31:07.5Z')
  progress.on({ event: 'waiting', account: ACC1, until, reason: 'Upstox throttles us' })
  progress.on(finished(ACC1, 'refreshed', 'forced'))
  progress.close()
  expect(written()).toBe(
    'upstox/ACC1: waiting until Mon 23 Nov 08:01 IST: Upstox throttles us\nupstox/ACC1: refreshed\n',
  )
})
