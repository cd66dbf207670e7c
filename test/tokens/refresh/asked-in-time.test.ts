import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { fyers } from '../../../lib/brokers/fyers/fyers.ts'
import { iifl } from '../../../lib/brokers/iifl/iifl.ts'
import { upstox } from '../../../lib/brokers/upstox/upstox.ts'
import { zerodha } from '../../../lib/brokers/zerodha/zerodha.ts'
import { parseSchedule } from '../../../lib/markets/schedule.ts'
import { presentTradingDay } from '../../../lib/markets/trading-day.ts'
import { GrantRejectedError } from '../../../lib/model/errors.ts'
import { expectedExpiry } from '../../../lib/model/expiry/session-model.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import { isLive } from '../../../lib/tokens/rules/token/token-status.ts'
import { handIn } from '../../support/hand-in.ts'
import { World } from '../../support/world.ts'

type Instant = Temporal.Instant
type Account = Parameters<World['stored']>[0]

/** Two weeks and the weekends before and after them. */
const BEGINS = Temporal.Instant.from('2026-11-20T16:00:00+05:30')
const ENDS = Temporal.Instant.from('2026-12-07T09:15:00+05:30')
/** What a person needs from a message to a login that has succeeded. */
const PERSON_NEEDS_MINUTES = 30

/** What a day brings: how fast whoever is asked logs in, and when the broker ends the session. */
interface Day {
  readonly answersAfterMinutes: number | undefined
  readonly endedAt: string | undefined
}

const DAYS = fc.array(
  fc.record({
    answersAfterMinutes: fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
    endedAt: fc.option(
      fc
        .integer({ min: 0, max: 8 * 60 + 29 })
        .map((minute) => Temporal.PlainTime.from('00:00').add({ minutes: minute }).toString()),
      { nil: undefined },
    ),
  }),
  { minLength: 18, maxLength: 18 },
)

/** A session that opened without a live token, and since when the broker had ended the last one, if it did. */
interface Missing {
  readonly opens: Instant
  readonly since: Instant
}

const QUIET: Day = { answersAfterMinutes: undefined, endedAt: undefined }

/** One account that only a person can log in to, kept by its broker's own schedule, and what everybody did to it. */
class Weeks {
  readonly #world = new World(BEGINS.toString())
  readonly #broker: Broker
  readonly #dead = new Set<string>()
  readonly asked: Instant[] = []
  #tokens = 0

  constructor(broker: Broker) {
    this.#broker = {
      ...broker,
      grants: [],
      credentials: broker.credentials.map((field) => ({ ...field, required: false })),
      prove: async (_, token) => {
        if (this.#dead.has(token.reveal())) throw new GrantRejectedError('it is dead')
        return { userId: 'SIM001' }
      },
    }
    this.#world.ports = {
      ...this.#world.ports,
      notifier: {
        notify: async ({ kind }) => {
          if (kind === 'login_needed') this.asked.push(this.#world.clock.now())
        },
      },
    }
  }

  async pass(days: readonly Day[]): Promise<readonly Missing[]> {
    const { id, schedule, tradingSession: session } = this.#broker
    if (!session) throw new Error('it has no market')
    const account = await this.#world.account(id, {})
    const schedules = schedule.expressions.map((one) => parseSchedule(one, schedule.timeZone))
    const without: Missing[] = []
    let since = BEGINS
    let logsInAt: Instant | undefined
    let now = BEGINS
    while (isAfter(ENDS, now)) {
      const local = now.toZonedDateTimeISO(session.timeZone)
      const { answersAfterMinutes, endedAt } =
        days[Math.floor(BEGINS.until(now).total('hours') / 24)] ?? QUIET
      const ends = endedAt === undefined ? undefined : local.withPlainTime(endedAt).toInstant()
      const { opens } = presentTradingDay(session, now)
      const runMs = Math.min(...schedules.flatMap((one) => one.next(now.epochMilliseconds) ?? []))
      const run = Temporal.Instant.fromEpochMilliseconds(runMs)
      const coming = [run, opens, ends, logsInAt].filter((at): at is Instant => isAfter(at, now))
      now = coming.toSorted(Temporal.Instant.compare)[0] as Instant
      this.#world.clock.set(now.toString())
      if (ends && now.equals(ends) && (await this.#hasToken(account))) {
        await this.#end(account)
        since = now
      }
      if (logsInAt && now.equals(logsInAt)) {
        logsInAt = undefined
        await this.#logIn(account)
      }
      if (now.equals(run)) {
        const before = this.asked.length
        await this.#world.run(this.#broker)
        const isAsked = this.asked.length > before
        if (isAsked && answersAfterMinutes !== undefined)
          logsInAt ??= now.add({ minutes: answersAfterMinutes })
      }
      if (now.equals(opens) && !(await this.#hasToken(account))) without.push({ opens, since })
    }
    await this.#world.close()
    return without
  }

  async #hasToken(account: Account): Promise<boolean> {
    const state = await this.#world.ports.states.get(account)
    const token = await this.#world.stored(account, 'access_token')
    return state !== undefined && isLive(state, this.#world.clock.now()) && !this.#dead.has(token ?? '')
  }

  async #end(account: Account): Promise<void> {
    this.#dead.add((await this.#world.stored(account, 'access_token')) ?? '')
  }

  async #logIn(account: Account): Promise<void> {
    this.#tokens += 1
    const accessToken = `SIMULATED-token-${this.#tokens}`
    await handIn(this.#world, { broker: this.#broker, account, accessToken })
  }
}

function isAfter(at: Instant | undefined, now: Instant): boolean {
  return at !== undefined && Temporal.Instant.compare(at, now) > 0
}

describe('over two weeks of the broker’s own schedule', () => {
  test.each([
    ['fyers', fyers],
    ['upstox', upstox],
    ['iifl', iifl],
    ['zerodha', zerodha],
  ] as const)(
    'at %s who is asked can help, and nobody is missing at an open who was not asked in time',
    async (_, broker: Broker) => {
      await fc.assert(
        fc.asyncProperty(DAYS, async (days) => {
          const weeks = new Weeks(broker)
          const without = await weeks.pass(days)
          const session = broker.tradingSession as NonNullable<Broker['tradingSession']>
          for (const at of weeks.asked) {
            const ends = expectedExpiry(broker.session.accessToken, at) as Instant
            const { opens } = presentTradingDay(session, at)
            expect(Temporal.Instant.compare(ends, opens), `asked ${at}`).toBe(1)
          }
          for (const { opens, since } of without) {
            const inTime = weeks.asked.filter((at) => {
              const minutes = at.until(opens).total('minutes')
              const isFor = presentTradingDay(session, at).opens.equals(opens)
              return minutes >= PERSON_NEEDS_MINUTES && isFor && !isAfter(since, at)
            })
            expect(inTime.length, `without a token ${opens}`).toBeGreaterThan(0)
          }
        }),
        { numRuns: 12 },
      )
    },
    60_000,
  )
})
