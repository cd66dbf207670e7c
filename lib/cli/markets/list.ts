import { Temporal } from 'temporal-polyfill'
import { overridden, readMarketDays } from '../../markets/changed-days.ts'
import type { SpecialDay } from '../../markets/days/special-day.ts'
import { MARKETS, specialDaysOf } from '../../markets/markets.ts'
import type { MarketDays } from '../../model/market-days.ts'
import type { MarketName } from '../../model/market-name.ts'
import { type Composition, compose } from '../backend/composition.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { textTable } from '../terminal/text-table.ts'
import { UsageError } from '../terminal/usage-error.ts'
import { marketsNamed } from './names.ts'

export interface ListDaysOptions extends GlobalOptions {
  /** @default - the present one */
  readonly year?: string
  /** With commas between them. @default - those of the brokers that are switched on */
  readonly market?: string
}

interface ListedDay {
  readonly date: string
  readonly market: MarketName
  /** `closed`, or when it trades. */
  readonly hours: string
  readonly why: string
  readonly note: string
}

/** `tokenkeeper markets list`: the special days of a year, and where they are from. Throws UsageError, StateStoreError. */
export async function listDays(options: ListDaysOptions, terminal: Terminal): Promise<number> {
  const composition = await compose(options, terminal)
  try {
    const year = yearIn(options, composition)
    const markets = options.market === undefined ? marketsInUse(composition) : marketsNamed(options.market)
    const stored = await composition.marketDays.read()
    const said = overridden(composition.config.markets, readMarketDays(stored?.days))
    const days = markets
      .flatMap((market) => daysOf(market, year, said))
      .toSorted((one, other) => compare(one.date, other.date))
    if (terminal.json) {
      const sources = markets.map((market) => ({
        market,
        knownUntil: MARKETS[market].knownUntil ?? null,
        ...MARKETS[market].sourceOf(year),
      }))
      terminal.object({ year, days, sources })
      return EXIT.ok
    }
    const rows = together(days).map(({ date, names, hours, why, note }) => [
      dayText(date),
      names.join(' '),
      hours,
      why,
      note,
    ])
    if (rows.length > 0)
      terminal.print(textTable(['Day', 'Markets', 'Trades', 'Why', 'Note'], rows, terminal))
    for (const line of sourceLines(markets, year)) terminal.print(line)
    return EXIT.ok
  } finally {
    await composition.close()
  }
}

/** Those of the brokers that are switched on, each once. */
export function marketsInUse({ brokers }: Pick<Composition, 'brokers'>): readonly MarketName[] {
  return [...new Set(brokers.flatMap(({ broker }) => broker.tradingSession?.markets ?? []))]
}

function yearIn({ year }: ListDaysOptions, { ports }: Composition): number {
  if (year === undefined) return ports.clock.now().toZonedDateTimeISO('UTC').year
  if (/^20\d\d$/.test(year)) return Number(year)
  throw new UsageError(`"${year.slice(0, 20)}" is no year`, 'write it as 2027')
}

function daysOf(market: MarketName, year: number, { closed, sessions }: MarketDays): readonly ListedDay[] {
  const own: readonly ListedDay[] = [
    ...closed.map(({ market: of, date, why = '' }) => ({
      market: of,
      date,
      why,
      hours: 'closed',
      note: 'said here',
    })),
    ...sessions.map(({ market: of, date, why = '', opens, closes }) => ({
      ...{ market: of, date, why, note: 'said here' },
      hours: `${opens}–${closes}`,
    })),
  ].filter((day) => day.market === market && day.date.startsWith(`${year}-`))
  const known = [...specialDaysOf(market, year)]
    .filter(([date]) => !own.some((day) => day.date === date))
    .map(
      ([date, day]): ListedDay => ({ date, market, hours: hoursText(day), why: day.why, note: noteOn(day) }),
    )
  return [...known, ...own]
}

function hoursText({ hours }: SpecialDay): string {
  return hours === 'closed' ? hours : `${hours.opens}–${hours.closes}`
}

function noteOn({ hours, provisional, timeOpen }: SpecialDay): string {
  const notes = [
    ...(provisional ? [hours === 'closed' ? 'not announced yet: counts as open' : 'not announced yet'] : []),
    ...(timeOpen ? ['the hours are not known'] : []),
  ]
  return notes.join('; ')
}

/** Markets of which the same is said are one line. */
function together(
  days: readonly ListedDay[],
): readonly (ListedDay & { readonly names: readonly MarketName[] })[] {
  const lines = Map.groupBy(days, ({ date, hours, why, note }) => JSON.stringify([date, hours, why, note]))
  return [...lines.values()].map((same) => ({
    ...(same[0] as ListedDay),
    names: same.map(({ market }) => market),
  }))
}

function sourceLines(markets: readonly MarketName[], year: number): readonly string[] {
  const lines = Map.groupBy(markets, (market) => {
    const { knownUntil } = MARKETS[market]
    const known = MARKETS[market].sourceOf(year)
    const from = known ? `${known.source}; looked up ${known.checked}` : `nothing is known of ${year}`
    return knownUntil ? `${from}; after ${knownUntil} each weekday that is not listed counts as open` : from
  })
  return [...lines].map(([line, names]) => `${names.join(', ')}: ${line}.`)
}

function dayText(date: string): string {
  const day = Temporal.PlainDate.from(date)
  return `${day.toLocaleString('en-GB', { weekday: 'short' })} ${date}`
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
