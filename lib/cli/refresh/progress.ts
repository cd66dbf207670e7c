import { brokerNamed } from '../../brokers/index.ts'
import { type AccountId, brokerOf } from '../../model/account-id.ts'
import { localInstant } from '../../model/time/local-time.ts'
import type { Progress } from '../../tokens/refresh/run.ts'
import { LiveRegion } from '../terminal/live-region.ts'
import { outcomeCell, outcomeMark } from '../terminal/outcome-words.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { Cell } from '../terminal/text-table.ts'

/** What a run is doing: a line for each account that changes in place on a terminal, plain lines elsewhere. */
export class RefreshProgress {
  readonly #terminal: Terminal
  readonly #region: LiveRegion
  readonly #lines = new Map<AccountId, string>()
  #closed = false

  constructor(terminal: Terminal) {
    this.#terminal = terminal
    this.#region = new LiveRegion(terminal)
  }

  readonly on = (progress: Progress): void => {
    if (this.#closed || this.#terminal.json) return
    const { account } = progress
    switch (progress.event) {
      case 'started':
        this.#set(account, '.', progress.attempt > 1 ? `working, try ${progress.attempt}` : 'working')
        break
      case 'waiting':
        this.#wait(
          account,
          `waiting until ${localInstant(progress.until, zoneOf(account))}: ${progress.reason}`,
        )
        break
      case 'finished': {
        const { outcome, reason } = progress.result
        this.#set(account, outcomeMark(outcome), `${outcomeCell(outcome).text}: ${reason}`)
        if (!this.#terminal.live) this.#terminal.print(`${account}: ${outcomeCell(outcome).text}`)
      }
    }
  }

  #wait(account: AccountId, text: string): void {
    this.#set(account, '.', text)
    if (!this.#terminal.live) this.#terminal.print(`${account}: ${text}`)
  }

  alert(text: string): void {
    if (this.#terminal.live && !this.#closed && this.#region.above(text)) return
    this.#terminal.alert(text)
  }

  /** Takes the lines away: the table that follows says the same. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#region.close()
  }

  #set(account: AccountId, mark: Cell | string, text: string): void {
    const { text: sign, style } = typeof mark === 'string' ? { text: mark, style: 'dim' as const } : mark
    const room = this.#terminal.columns - 3
    const shown = `${account}  ${text}`.slice(0, room)
    this.#lines.set(account, `${this.#terminal.style(style ?? 'reset', sign)} ${shown}`)
    this.#region.update([...this.#lines.values()])
  }
}

function zoneOf(account: AccountId): string {
  return brokerNamed(brokerOf(account)).session.timeZone
}
