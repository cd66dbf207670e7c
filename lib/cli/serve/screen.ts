import { Temporal } from 'temporal-polyfill'
import type { KnownAccount } from '../../accounts/accounts.ts'
import { helpFor } from '../../accounts/needs.ts'
import type { LocalService, ServiceEvent } from '../../local/local-service.ts'
import type { AccountId } from '../../model/account-id.ts'
import { type AccountResult, isSuccess } from '../../model/outcome.ts'
import { weekdayTime, zoneName } from '../../model/time/local-time.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Clock } from '../../ports/clock.ts'
import { isLive } from '../../tokens/rules/token/token-status.ts'
import { LiveRegion } from '../terminal/live-region.ts'
import { outcomeCell } from '../terminal/outcome-words.ts'
import type { Style, Terminal } from '../terminal/terminal.ts'
import { accountsTable, timeFor } from './accounts-table.ts'
import type { EndedLogin } from './ended-logins.ts'

const OUTCOME_WIDTH = 12
/** Rows of a terminal that are left to what happens, above the table of accounts. */
const ROWS_FOR_EVENTS = 8

/** `Mon 03:00  ` in front of each line. */
const TIME_WIDTH = 11

interface Line {
  readonly account: AccountId
  readonly word: string
  readonly style: Style
  readonly sentence: string
  /** Left out where the terminal is too narrow for it. */
  readonly aside?: string | undefined
  readonly details: Readonly<Record<string, unknown>>
}

export interface ServeScreenOptions {
  readonly clock: Clock
  readonly timeZone: string
  readonly siteUrl: string
  /** Whether the login page opens without a link of its own. */
  readonly open: boolean
  /** Whether a simulated clock waits for somebody who is there. */
  isHeld(): boolean
}

/** What `serve` shows: what happens, line by line, and under it on a terminal the accounts as they stand. */
export class ServeScreen {
  readonly #terminal: Terminal
  readonly #region: LiveRegion
  readonly #clock: Clock
  readonly #timeZone: string
  readonly #page: string | undefined
  readonly #isHeld: () => boolean
  readonly #shown = new Map<AccountId, string>()
  #known: readonly KnownAccount[] = []
  #table = ''

  constructor(terminal: Terminal, { clock, timeZone, siteUrl, open, isHeld }: ServeScreenOptions) {
    this.#terminal = terminal
    this.#region = new LiveRegion(terminal)
    this.#clock = clock
    this.#timeZone = timeZone
    this.#page = open ? `${siteUrl}/login` : undefined
    this.#isHeld = isHeld
  }

  /** One thing that happened, with the time of day. */
  happened(sentence: string, details: Readonly<Record<string, unknown>> = {}): void {
    const now = this.#clock.now()
    if (this.#terminal.json) {
      const time = now.toString({ timeZone: this.#timeZone, smallestUnit: 'second' })
      this.#terminal.objectLine({ time, message: sentence, ...details })
    } else {
      this.above(`${this.#terminal.style('dim', weekdayTime(now, this.#timeZone))}  ${sentence}`)
    }
  }

  alert(text: string): void {
    // Whatever stdout leads to, alerts have to reach somebody.
    if (!this.#terminal.json && this.#region.above(this.#terminal.style('yellow', text))) return
    this.#terminal.alert(text)
  }

  above(text: string): void {
    if (this.#terminal.json) return
    this.#region.above(text)
  }

  event(event: ServiceEvent, service: LocalService): void {
    if (event.event === 'expired') {
      const { account, accessToken } = event.state
      const details = { account, outcome: 'expired' }
      const aside = accessToken?.expiryDecidedBy
      this.#line({ account, word: 'expired', style: 'red', sentence: 'its token has died', aside, details })
    }
    if (event.event === 'run_finished') {
      for (const result of event.report.results) this.#result(event.broker, result, service)
    }
  }

  /** Says where to go, when there is somebody to go there. */
  invite(): void {
    const now = this.#clock.now()
    const needed = this.#known.filter(({ broker, state }) => helpFor(broker, state, now) === 'login').length
    if (needed === 0 || this.#page === undefined) return
    const words = `Somebody is needed for ${needed} account${needed === 1 ? '' : 's'}: open ${this.#page}`
    this.happened(this.#terminal.style(['bold', 'yellow'], words), { needed, page: this.#page })
  }

  /** A person has logged in, or tried to. */
  loginEnded({ state, result }: EndedLogin): void {
    const { account, accessToken, clientName } = state
    const { success, reason } = result
    const details = {
      account,
      outcome: success ? 'logged_in' : result.kept ? 'token_kept' : 'login_failed',
      reason,
    }
    if (success && accessToken) {
      const sentence = `proven, live until ${timeFor(account, accessToken.expiresAt, this.#timeZone)}`
      this.#line({ account, word: 'logged in', style: 'green', sentence, aside: clientName, details })
    } else if (result.kept) {
      this.#line({ account, word: 'token kept', style: 'yellow', sentence: reason, details })
    } else {
      this.#line({ account, word: 'login failed', style: 'red', sentence: reason, details })
    }
  }

  /** Takes over how the accounts stand, and draws them. */
  accounts(known: readonly KnownAccount[], service: LocalService): void {
    this.#known = known
    this.resized(service)
  }

  /** Draws everything anew for the width there is now. */
  resized(service: LocalService): void {
    this.#table = this.#drawTable(service)
    this.draw(service)
  }

  draw(service: LocalService): void {
    if (!this.#terminal.live) return
    const table = this.#table.split('\n')
    const room = this.#terminal.rows - ROWS_FOR_EVENTS
    this.#region.update([...(table.length + 2 <= room ? ['', ...table] : []), '', this.#footer(service)])
  }

  /** The accounts as they stand, for where nothing can be drawn over. */
  printTable(service: LocalService): void {
    if (!this.#terminal.live) this.#terminal.print(`\n${this.#drawTable(service)}\n`)
  }

  close(): void {
    this.#region.close({ keep: true })
  }

  /** News only: a run that finds everything as it was says nothing. */
  #result(broker: Broker, result: AccountResult, service: LocalService): void {
    const { account, outcome, tokenValidity, reason } = result
    const news = `${outcome} ${tokenValidity} ${isSuccess(outcome) ? '' : reason}`
    if (this.#shown.get(account) === news && !this.#terminal.verbose) return
    this.#shown.set(account, news)
    const { text: word, style = 'reset' } = outcomeCell(outcome)
    const until = tokenValidity ? timeFor(account, Temporal.Instant.from(tokenValidity), this.#timeZone) : ''
    const next = service.scheduler.nextOf(broker.id)
    const common = { account, word, style, details: { ...result } }
    if (outcome === 'refreshed')
      this.#line({ ...common, sentence: `proven, live until ${until}`, aside: reason })
    else if (outcome === 'fresh') {
      const aside = next && `next look ${weekdayTime(next, this.#timeZone)}`
      this.#line({ ...common, sentence: `live until ${until}`, aside })
    } else this.#line({ ...common, sentence: reason })
  }

  #line({ account, word, style, sentence, aside, details }: Line): void {
    const name = account.padEnd(this.#accountWidth())
    const room = this.#terminal.columns - TIME_WIDTH - name.length - OUTCOME_WIDTH - 5
    const whole = aside === undefined ? sentence : `${sentence} (${aside})`
    if (this.#terminal.json) {
      this.happened(whole, details)
      return
    }
    const fitting = whole.length <= room ? whole : sentence
    const shown = fitting.length <= room ? fitting : `${fitting.slice(0, Math.max(0, room - 3))}...`
    this.happened(`${name}  ${this.#terminal.style(style, word.padEnd(OUTCOME_WIDTH))}  ${shown}`)
  }

  #accountWidth(): number {
    return Math.max(13, ...this.#known.map(({ state }) => state.account.length))
  }

  #drawTable({ scheduler }: LocalService): string {
    const table = { now: this.#clock.now(), timeZone: this.#timeZone, page: this.#page }
    return accountsTable(this.#known, { ...table, nextOf: (id) => scheduler.nextOf(id) }, this.#terminal)
  }

  /** Of the brokers that have accounts to look after. */
  #nextRun({
    scheduler,
  }: LocalService): { readonly name: string; readonly at: Temporal.Instant } | undefined {
    const names = new Set(this.#known.map(({ broker }) => broker.id))
    return [...names]
      .flatMap((name) => {
        const at = scheduler.nextOf(name)
        return at ? [{ name, at }] : []
      })
      .toSorted((a, b) => Temporal.Instant.compare(a.at, b.at))[0]
  }

  #footer(service: LocalService): string {
    const now = this.#clock.now()
    const kept = this.#known.filter(({ state }) => state.settings.managedBy === undefined)
    const live = kept.filter(({ state }) => isLive(state, now)).length
    const next = this.#nextRun(service)
    const parts = [
      `${weekdayTime(now, this.#timeZone)} ${zoneName(now, this.#timeZone)}`,
      `${live} of ${kept.length} tokens live`,
      ...(this.#isHeld() ? ['the clock waits for you at the login page'] : []),
      next ? `next ${next.name} ${weekdayTime(next.at, this.#timeZone)}` : 'no further run',
      'Ctrl-C ends',
    ]
    return this.#terminal.style('dim', parts.join(' | ').slice(0, this.#terminal.columns - 1))
  }
}
