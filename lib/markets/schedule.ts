import { Cron } from 'croner'
import type { Broker } from '../ports/broker/broker.ts'

const FIELDS = ['minute', 'hour', 'day of month', 'month', 'day of week', 'year'] as const
/** The last value of each field, which a step such as 0/30 runs up to. */
const LAST = ['59', '23', '31', '12', '7', '2199'] as const
const RATE = /^rate\((\d+) (minute|minutes|hour|hours|day|days)\)$/
const CRON = /^cron\((.+)\)$/
const SECONDS = { minute: 60, hour: 3_600, day: 86_400 } as const

/**
 * When runs start, by an expression of EventBridge Scheduler; the local scheduler understands the same ones.
 */
export interface Schedule {
  readonly expression: string
  /**
   * The first run strictly after an instant, both in epoch milliseconds; `undefined` where none is left. A
   * rate counts from that instant.
   */
  next(afterMs: number): number | undefined
}

/**
 * Reads `cron(minute hour day-of-month month day-of-week year)` or `rate(6 hours)` as EventBridge Scheduler
 * does (its documentation, "Schedule types"). Throws an Error that says what was given and what is allowed.
 */
export function parseSchedule(expression: string, timeZone: string): Schedule {
  const rate = RATE.exec(expression)
  if (rate) {
    const [, amount = '0', unit = 'minute'] = rate
    if (Number(amount) < 1) throw refusal(expression, 'a rate is at least 1')
    const singular = unit.replace(/s$/, '') as keyof typeof SECONDS
    if ((Number(amount) === 1) !== (unit === singular)) {
      throw refusal(expression, `write rate(${amount} ${singular}${Number(amount) === 1 ? '' : 's'})`)
    }
    const everyMs = Number(amount) * SECONDS[singular] * 1000
    return { expression, next: (afterMs) => afterMs + everyMs }
  }
  const cron = CRON.exec(expression)
  if (!cron) throw refusal(expression, 'it is neither cron(…) nor rate(…)')
  const fields = (cron[1] as string).trim().split(/\s+/)
  if (fields.length !== FIELDS.length) {
    throw refusal(expression, `it has ${fields.length} fields; cron has six: ${FIELDS.join(', ')}`)
  }
  if ((fields[2] === '?') === (fields[4] === '?')) {
    throw refusal(expression, 'exactly one of day of month and day of week must be ?')
  }
  const pattern = ['0', ...fields.map(toCroner)].join(' ')
  try {
    const job = new Cron(pattern, { timezone: timeZone, paused: true })
    return { expression, next: (afterMs) => job.nextRun(new Date(afterMs))?.getTime() }
  } catch {
    throw refusal(
      expression,
      `one of its fields (${FIELDS.join(', ')}) is out of range, or "${timeZone}" is no time zone`,
    )
  }
}

/** Converts one field for croner, where a step needs an end and the days of the week count from 0. */
function toCroner(field: string, index: number): string {
  const last = LAST[index] as string
  return field
    .split(',')
    .map((part) => {
      const stepped = part.replace(/^(\d+)\/(\d+)$/, `$1-${last}/$2`)
      return index === 4 ? stepped.replace(/^\d+|(?<=-)\d+/g, (day) => String(Number(day) - 1)) : stepped
    })
    .join(',')
}

function refusal(expression: string, why: string): Error {
  return new Error(
    `"${expression}" is no schedule: ${why}. Allowed: cron(minute hour day-of-month month day-of-week year), ` +
      'such as cron(0 3 * * ? *), or rate(value unit), such as rate(6 hours)',
  )
}

/**
 * Every expression by which a broker's runs start: those of its schedule, and one for the time of day at
 * which an approval is requested.
 */
export function runExpressions({
  schedule,
  login,
  tradingSession,
}: Pick<Broker, 'schedule' | 'login' | 'tradingSession'>): readonly string[] {
  const at = login?.approval?.at
  if (at === undefined) return schedule.expressions
  const [hour, minute] = at.split(':').map(Number)
  return [...schedule.expressions, `cron(${minute} ${hour} ${tradingSession ? '? * MON-FRI' : '* * ?'} *)`]
}
