import type { Temporal } from 'temporal-polyfill'
import type { Market } from './market.ts'
import { MCX_2026 } from './mcx-2026.ts'
import { NSE_2026 } from './nse-2026.ts'
import { NSE_2027 } from './nse-2027.ts'
import type { Hours, Occasions, SpecialDay, SpecialDays, YearTable } from './special-day.ts'

type Tables = Readonly<Record<number, YearTable>>
type HoursOf = (date: string) => Hours

/** The last day of NSE's and MCX' last published list. */
const KNOWN_UNTIL = '2026-12-31'
/** MCX' evening session on a half day. */
const MCX_EVENING = '17:00'

const NSE: Tables = { 2026: NSE_2026, 2027: NSE_2027 }
const MCX: Tables = { 2026: MCX_2026 }

/** A segment of NSE and BSE, which close on the same days and not at the same time. */
export function nse(usual: HoursOf): Market {
  return indian(NSE, usual, () => 'closed')
}

/** A group of commodities at MCX. */
export function mcx(usual: HoursOf): Market {
  // What stops at 17:00 anyhow has no evening session.
  const evening = ({ closes }: Hours): SpecialDay['hours'] =>
    closes > MCX_EVENING ? { opens: MCX_EVENING, closes } : 'closed'
  return indian(MCX, usual, evening)
}

function indian(tables: Tables, usual: HoursOf, evening: (usual: Hours) => SpecialDay['hours']): Market {
  const usualOn = (date: Temporal.PlainDate) => usual(date.toString())
  return {
    timeZone: 'Asia/Kolkata',
    usual: usualOn,
    specialDays: (year) => specialDays(tables[year], usual, evening),
    knownUntil: KNOWN_UNTIL,
    sourceOf: (year) => tables[year] && { source: tables[year].source, checked: tables[year].checked },
  }
}

function specialDays(
  table: YearTable | undefined,
  usual: HoursOf,
  evening: (usual: Hours) => SpecialDay['hours'],
): SpecialDays {
  const { closed, expected, morningOnly, eveningOnly, sessions = {} } = table ?? { closed: {} }
  const morning = ({ opens, closes }: Hours): Hours => ({
    opens,
    closes: closes > MCX_EVENING ? MCX_EVENING : closes,
  })
  const all = (days: Occasions = {}, hours: (date: string) => SpecialDay['hours'], provisional?: true) =>
    Object.entries(days).map(([date, why]): readonly [string, SpecialDay] => [
      date,
      { why, hours: hours(date), ...(provisional && { provisional }) },
    ])
  return new Map([
    ...all(closed, () => 'closed'),
    ...all(expected, () => 'closed', true),
    ...all(morningOnly, (date) => morning(usual(date))),
    ...all(eveningOnly, (date) => evening(usual(date))),
    ...Object.entries(sessions).map(
      ([date, { hours = usual(date), ...said }]): readonly [string, SpecialDay] => [date, { ...said, hours }],
    ),
  ])
}
