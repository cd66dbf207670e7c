import { expect, test } from 'vitest'
import { zerodha } from '../../lib/brokers/zerodha/zerodha.ts'
import { EXIT, exitCodeOfRun } from '../../lib/cli/terminal/exit-codes.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { type AccountState, newAccountState } from '../../lib/model/account-state.ts'
import { type Outcome, report } from '../../lib/model/outcome.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { reportLine } from '../../lib/tokens/rules/outcome/report-line.ts'
import { tokenRecord } from '../support/token-record.ts'

const now = new VirtualClock('2026-11-23T08:00:00+05:30').now()
const bare = newAccountState(parseAccountId('zerodha'))
const accessToken = tokenRecord({ issuedAt: now, expiresAt: now.add({ hours: 12 }) })
const live: AccountState = { ...bare, accessToken, generation: 1 }

const codeOf = (state: AccountState, outcome: Outcome): number =>
  exitCodeOfRun(report([reportLine(zerodha, state, { outcome, reason: 'a test' }, now)]))

test.each(['skipped', 'fresh'] as const)(
  'a run that was %s, so did nothing, is good only where a live token is there',
  (outcome) => {
    expect(codeOf(live, outcome)).toBe(EXIT.ok)
    expect(codeOf(bare, outcome)).toBe(EXIT.refreshFailed)
    expect(codeOf({ ...live, refusedVersion: 1 }, outcome)).toBe(EXIT.refreshFailed)
    expect(codeOf({ ...live, doubt: { since: now, by: 'login' } }, outcome)).toBe(EXIT.refreshFailed)
  },
)

test('what is kept elsewhere, or paused, is nobody’s failure', () => {
  expect(codeOf({ ...bare, settings: { managedBy: 'external' } }, 'skipped')).toBe(EXIT.ok)
  expect(codeOf({ ...bare, paused: { since: now } }, 'paused')).toBe(EXIT.ok)
})
