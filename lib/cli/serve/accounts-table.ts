import type { Temporal } from 'temporal-polyfill'
import { statusOf } from '../../accounts/account-status.ts'
import type { KnownAccount } from '../../accounts/accounts.ts'
import { helpFor } from '../../accounts/needs.ts'
import { brokerNamed } from '../../brokers/index.ts'
import { type AccountId, brokerOf } from '../../model/account-id.ts'
import { isSuccess } from '../../model/outcome.ts'
import { localInstant, weekdayTime, zoneName } from '../../model/time/local-time.ts'
import { stateStyle } from '../terminal/outcome-words.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { textTable } from '../terminal/text-table.ts'

/** On fewer columns names and dates are left out. */
const COLUMNS_FOR_ALL = 100

interface Moment {
  readonly now: Temporal.Instant
  /** Of the screen. */
  readonly timeZone: string
  /** The login page, where it opens without a link of its own. */
  readonly page: string | undefined
  /** When the accounts of a broker are looked at next. */
  nextOf(brokerId: string): Temporal.Instant | undefined
}

/** The accounts as they stand, and what comes next for each. */
export function accountsTable(
  known: readonly KnownAccount[],
  { now, timeZone, page, nextOf }: Moment,
  terminal: Terminal,
): string {
  const narrow = terminal.columns < COLUMNS_FOR_ALL
  const rows = known.map(({ broker, state }) => {
    const status = statusOf(broker, state, now)
    const next = nextOf(broker.id)
    const expiresAt = state.accessToken?.expiresAt
    const resting = isSuccess(state.last?.outcome ?? 'fresh')
    return [
      status.nickname && !narrow ? `${status.account} (${status.nickname})` : status.account,
      { text: status.summary, style: stateStyle(status.state, status.live) },
      !expiresAt
        ? '-'
        : narrow
          ? timeFor(state.account, expiresAt, timeZone)
          : localInstant(expiresAt, broker.session.timeZone),
      page !== undefined && helpFor(broker, state, now) === 'login'
        ? `open ${page}`
        : resting && next && status.loginHelpsFrom === null
          ? `next look ${weekdayTime(next, timeZone)}`
          : status.nextAction,
    ]
  })
  return textTable(['Account', 'State', 'Valid until', 'Next'], rows, terminal)
}

/** On the account's clocks, which are named where they are not those of the screen. */
export function timeFor(account: AccountId, instant: Temporal.Instant, screenZone: string): string {
  const { timeZone } = brokerNamed(brokerOf(account)).session
  const zone = timeZone === screenZone ? '' : ` ${zoneName(instant, timeZone)}`
  return weekdayTime(instant, timeZone) + zone
}
