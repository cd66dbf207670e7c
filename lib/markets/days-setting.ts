import { Temporal } from 'temporal-polyfill'
import * as z from 'zod/mini'
import { MARKET_NAMES } from '../model/market-name.ts'

const TIME = /^([01]\d|2[0-3]):[0-5]\d$/

const Time = z.string().check(z.regex(TIME, 'write a time of day such as 09:15'))
const day = {
  market: z.enum(MARKET_NAMES),
  date: z.string().check(z.refine(isDate, 'write a day such as 2027-01-15')),
  why: z.optional(z.string()),
}

/** `markets` of cdk.json: what an owner says of single days with a deployment. */
export const MarketDaysSetting = z.strictObject({
  closed: z._default(z.array(z.strictObject(day)), []),
  sessions: z._default(z.array(z.strictObject({ ...day, opens: Time, closes: Time })), []),
})

/** Whether a calendar has this day, written as ISO 8601 has it. */
export function isDate(text: string): boolean {
  try {
    return Temporal.PlainDate.from(text).toString() === text
  } catch {
    return false
  }
}

export function isTime(text: string): boolean {
  return TIME.test(text)
}
