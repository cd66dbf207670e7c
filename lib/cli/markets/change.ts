import { Temporal } from 'temporal-polyfill'
import { readMarketDays, without } from '../../markets/changed-days.ts'
import { isDate, isTime } from '../../markets/days-setting.ts'
import { MARKETS } from '../../markets/markets.ts'
import { hoursWith } from '../../markets/session.ts'
import { StateStoreError } from '../../model/errors.ts'
import type { ChangedDay, ChangedSession, MarketDays } from '../../model/market-days.ts'
import type { MarketName } from '../../model/market-name.ts'
import type { MarketDaysStore } from '../../ports/market-days.ts'
import { compose } from '../backend/composition.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { UsageError } from '../terminal/usage-error.ts'
import { marketsNamed } from './names.ts'

const MOST_ATTEMPTS = 5
/** What was said of days longer ago is dropped when something is said anew. */
const KEPT_DAYS = 60

const FRIDAY = 5
const NO_RUN_ON_WEEKENDS =
  'Most brokers have runs from Monday to Friday. For that day add one to brokers.<id>.schedules in cdk.json, or run tokenkeeper refresh'

export interface CloseOptions extends GlobalOptions {
  readonly why?: string
}

export interface OpenOptions extends CloseOptions {
  readonly from?: string
  readonly to?: string
}

/** `tokenkeeper markets close`: nobody is asked for that day. Throws UsageError, StateStoreError. */
export async function closeMarkets(
  names: string,
  date: string,
  options: CloseOptions,
  terminal: Terminal,
): Promise<number> {
  const days = daysOf(names, date, options)
  return change(options, terminal, days, () => ({ closed: days, sessions: [] }))
}

/**
 * `tokenkeeper markets open`: takes back that a day is closed, or says that there is a session on a day without one, at the
 * usual hours unless others are given. Throws UsageError, StateStoreError.
 */
export async function openMarkets(
  names: string,
  date: string,
  options: OpenOptions,
  terminal: Terminal,
): Promise<number> {
  const days = daysOf(names, date, options)
  const given = hoursIn(options)
  if (Temporal.PlainDate.from(date).dayOfWeek > FRIDAY) terminal.note(NO_RUN_ON_WEEKENDS)
  return change(options, terminal, days, (configured) => {
    const sessions = days.flatMap((day): readonly ChangedSession[] => {
      const on = Temporal.PlainDate.from(day.date)
      const market = MARKETS[day.market]
      if (!given && hoursWith(day.market, on, configured)) return []
      return [{ ...day, ...(given ?? market.usual(on)) }]
    })
    return { closed: [], sessions }
  })
}

/** Puts what `said` has in place of whatever is stored of these days. `said` gets what cdk.json says. */
async function change(
  options: GlobalOptions,
  terminal: Terminal,
  days: readonly ChangedDay[],
  said: (configured: MarketDays) => MarketDays,
): Promise<number> {
  const composition = await compose(options, terminal)
  try {
    const { clock } = composition.ports
    const today = clock.now().toZonedDateTimeISO('UTC').toPlainDate()
    const { closed, sessions } = said(composition.config.markets)
    const oldest = today.subtract({ days: KEPT_DAYS }).toString()
    const isKept = ({ date }: ChangedDay): boolean => date >= oldest
    await stored(composition.marketDays, (before) => {
      const left = without(before, days)
      return {
        closed: [...left.closed.filter(isKept), ...closed],
        sessions: [...left.sessions.filter(isKept), ...sessions],
      }
    })
    const configured = composition.config.markets
    const now = days.map((day) => ({ ...day, hours: hoursNow(day, { closed, sessions }, configured) }))
    if (terminal.json) {
      terminal.object({
        success: true,
        days: now.map(({ hours, ...day }) => ({ ...day, hours: hours ?? null })),
      })
    } else {
      for (const { market, date, hours } of now) {
        terminal.print(`${market} on ${date}: ${hours ? `${hours.opens}–${hours.closes}` : 'closed'}`)
      }
      terminal.note('It counts everywhere within 15 minutes.')
    }
    return EXIT.ok
  } finally {
    await composition.close()
  }
}

function hoursNow(day: ChangedDay, said: MarketDays, configured: MarketDays) {
  const isSaid = said.closed.length + said.sessions.length > 0
  return hoursWith(day.market, Temporal.PlainDate.from(day.date), isSaid ? said : configured)
}

/** Again where somebody else says something at the same time. Throws StateStoreError. */
async function stored(store: MarketDaysStore, next: (before: MarketDays) => MarketDays): Promise<void> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const before = await store.read()
    if (await store.replace(next(readMarketDays(before?.days)), before?.revision ?? 0)) return
  }
  throw new StateStoreError('what is said of trading days kept changing', { fix: 'try again in a moment' })
}

function daysOf(
  names: string,
  date: string,
  { why }: CloseOptions,
): readonly (ChangedDay & { market: MarketName })[] {
  if (!isDate(date)) {
    throw new UsageError(`"${date.slice(0, 40)}" is no day`, 'write it as 2027-01-15')
  }
  return marketsNamed(names).map((market) => ({ market, date, ...(why !== undefined && { why }) }))
}

function hoursIn({ from, to }: OpenOptions): { readonly opens: string; readonly closes: string } | undefined {
  if (from === undefined && to === undefined) return undefined
  if (from !== undefined && to !== undefined && isTime(from) && isTime(to)) return { opens: from, closes: to }
  throw new UsageError(
    'a session has a beginning and an end',
    'write both as times of day on the clocks of the market: --from 18:00 --to 19:00',
  )
}
