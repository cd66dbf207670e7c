import { Temporal } from 'temporal-polyfill'
import type { AccountStatus } from '../../accounts/account-status.ts'
import { localInstant } from '../../model/time/local-time.ts'
import { stateStyle } from '../terminal/outcome-words.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { type Cell, textTable } from '../terminal/text-table.ts'

/** From here on seven columns are readable. */
const COLUMNS_OF_A_TABLE = 150
const INDENT = '  '

export const NOTHING = 'No account is set up. To set one up: tokenkeeper setup fyers'

/** An account's status with its broker's zone. */
export type Entry = readonly [status: AccountStatus, timeZone: string]

/** A table where there is room, else a short paragraph for each account. */
export function statusText(entries: readonly Entry[], terminal: Terminal): string {
  if (terminal.columns < COLUMNS_OF_A_TABLE) {
    return entries.map((entry) => paragraph(entry, terminal)).join('\n\n')
  }
  const headings = ['Account', 'State', 'Valid until', 'Decided by', 'Proven', 'Next', 'Last error']
  const rows = entries.map((entry) => {
    const cells = cellsOf(entry)
    return [
      cells.account,
      cells.state,
      cells.validUntil,
      cells.decidedBy,
      cells.proven,
      cells.next,
      cells.lastError,
    ]
  })
  return textTable(headings, rows, terminal)
}

function paragraph(entry: Entry, terminal: Terminal): string {
  const cells = cellsOf(entry)
  const { text, style = 'reset' } = cells.state
  const facts: readonly (readonly [string, string])[] = [
    ['valid until', cells.decidedBy === '-' ? cells.validUntil : `${cells.validUntil} (${cells.decidedBy})`],
    ['proven', cells.proven],
    ['next', cells.next],
    ['last error', cells.lastError],
  ]
  const known = facts.filter(([, fact]) => fact !== '-')
  const body = textTable(
    ['', ''],
    known.map(([name, fact]) => [{ text: name, style: 'dim' }, fact]),
    { ...terminal, columns: terminal.columns - INDENT.length },
  )
  return `${terminal.style('bold', cells.account)}  ${terminal.style(style, text)}\n${body.trimStart().replace(/^/gm, INDENT)}`
}

function cellsOf([status, timeZone]: Entry) {
  const at = (iso: string | null): string =>
    iso === null ? '-' : localInstant(Temporal.Instant.from(iso), timeZone)
  const state: Cell = { text: status.summary, style: stateStyle(status.state, status.live) }
  const { lastError } = status
  return {
    account: status.nickname ? `${status.account} (${status.nickname})` : status.account,
    state,
    validUntil: at(status.expiresAt),
    decidedBy: status.expiryDecidedBy ?? '-',
    proven: at(status.provenAt),
    next: status.nextAction,
    lastError: lastError ? `${lastError.reason} (${lastError.code}, ${at(lastError.at)})` : '-',
  }
}
