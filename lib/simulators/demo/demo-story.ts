import type { Temporal } from 'temporal-polyfill'
import { type KnownAccount, knownAccounts } from '../../accounts/accounts.ts'
import { helpFor } from '../../accounts/needs.ts'
import { BROKERS } from '../../brokers/index.ts'
import { parseAccountId } from '../../model/account-id.ts'
import { nextClock } from '../../model/expiry/session-model.ts'
import { isBefore } from '../../model/time/instants.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Clock } from '../../ports/clock.ts'
import { COMMAND_LINE, type LoginService } from '../../ports/login-service.ts'
import type { Ports } from '../../ports/ports.ts'
import { openLogins } from '../../tokens/login/attempts.ts'
import { isApprovalAwaited } from '../../tokens/rules/token/open-approval.ts'
import { BINA_AT_FYERS } from './demo-accounts.ts'
import type { DemoClock } from './demo-clock.ts'
import type { DemoWorld } from './demo-world.ts'

const ZONE = 'Asia/Kolkata'
/** Before the last tokens of yesterday die at 06:00, by more than the first look at every account waits and skips. */
const STARTS = '05:55'
/** Whoever logs in from then on is done for the day, so the clock waits for nobody before. */
const WAITS_FROM = '06:01'
/** Between FYERS' runs at 08:00 and 08:15: late enough that the message has been out for a while. */
const LOGS_IN = '08:10'
const WHO_LOGS_IN = parseAccountId('fyers/BINA')
/** After a look at the login pages the clock waits this long for the next one, in real seconds. */
const LOOKING_SECONDS = 120
/** The same when nobody is needed any more. */
const LEAVING_SECONDS = 15
/** An approval that nobody gives within this time is taken for forgotten; its request stays open all day. */
const APPROVING_SECONDS = 300
/** Between two looks at the records, in real time; the clock is held a little longer each time. */
const LOOK_EVERY_MS = 500
const HOLD_SECONDS = 2

/** 05:55 in India, on the next day on which the market is open; today if it is. */
export function demoStart(today: Temporal.Instant): Temporal.Instant {
  let day = today.toZonedDateTimeISO(ZONE).toPlainDate()
  while (!BROKERS.fyers.tradingSession.on(day)) day = day.add({ days: 1 })
  return day.toZonedDateTime({ timeZone: ZONE, plainTime: STARTS }).toInstant()
}

export interface DemoStoryOptions {
  readonly world: DemoWorld
  readonly brokers: readonly Broker[]
  readonly ports: Pick<Ports, 'states'>
  readonly logins: LoginService
  readonly clock: DemoClock
  /** What people's patience is measured by. */
  readonly real: Clock
  readonly tell: (sentence: string) => void
}

/** What people do in the simulated world: whoever watches may be one of them, and Bina is one in any case. */
export class DemoStory {
  readonly #options: DemoStoryOptions
  readonly #logsInAt: Temporal.Instant
  readonly #waitsFrom: Temporal.Instant
  #binaIsDone = false
  #visitedAt: Temporal.Instant | undefined
  #lookedAt: Temporal.Instant | undefined

  constructor(options: DemoStoryOptions) {
    this.#options = options
    const next = (at: string): Temporal.Instant =>
      nextClock({ at, timeZone: ZONE, day: 'first' }, options.clock.now())
    this.#logsInAt = next(LOGS_IN)
    this.#waitsFrom = next(WAITS_FROM)
  }

  /** Somebody is at the login pages: time runs as fast as theirs until they have gone. */
  visited(): void {
    const { clock, real } = this.#options
    this.#visitedAt = real.now()
    if (!isBefore(clock.now(), this.#waitsFrom)) clock.hold(HOLD_SECONDS)
  }

  /** To be called every moment. */
  async tick(): Promise<void> {
    const { brokers, clock, ports, real } = this.#options
    if (this.#secondsSince(this.#lookedAt) * 1000 < LOOK_EVERY_MS) return
    this.#lookedAt = real.now()
    const known = await knownAccounts(brokers, ports.states)
    if (this.#somebodyIsLoggingIn(known)) {
      clock.hold(HOLD_SECONDS)
    } else if (!this.#binaIsDone && !isBefore(clock.now(), this.#logsInAt)) {
      this.#binaIsDone = true
      const bina = known.find(({ state }) => state.account === WHO_LOGS_IN)
      if (bina && helpFor(bina.broker, bina.state, clock.now())) await clock.during(() => this.#binaLogsIn())
    }
  }

  #somebodyIsLoggingIn(known: readonly KnownAccount[]): boolean {
    const now = this.#options.clock.now()
    if (isBefore(now, this.#waitsFrom)) return false
    const needed = known.some(({ broker, state }) => helpFor(broker, state, now) === 'login')
    if (this.#secondsSince(this.#visitedAt) < (needed ? LOOKING_SECONDS : LEAVING_SECONDS)) return true
    return known.some(({ state }) => {
      const { approval } = state
      const asked = isApprovalAwaited(approval, now) && approval.requestedAt.until(now).total('seconds')
      return openLogins(state, now).length > 0 || (asked !== false && asked < APPROVING_SECONDS)
    })
  }

  /** As everybody does, but without a browser: FYERS' redirect goes straight to the service. */
  async #binaLogsIn(): Promise<void> {
    const { logins, tell, world } = this.#options
    tell('Nobody has clicked, so Bina reads the message and logs in at FYERS by herself')
    const callbackUrl = 'http://127.0.0.1/callback/fyers'
    const started = await logins.start({ account: WHO_LOGS_IN, browser: COMMAND_LINE, callbackUrl })
    if ('refused' in started) return tell(`FYERS is not asked: ${started.reason}`)
    const query = new URLSearchParams({
      auth_code: world.fyers.authCodeFor(BINA_AT_FYERS.fyId),
      state: new URL(started.authorizationUrl).searchParams.get('state') ?? '',
    })
    await logins.finish({ by: 'redirect', broker: 'fyers', query: query.toString(), browser: COMMAND_LINE })
  }

  #secondsSince(instant: Temporal.Instant | undefined): number {
    return instant?.until(this.#options.real.now()).total('seconds') ?? Number.POSITIVE_INFINITY
  }
}
