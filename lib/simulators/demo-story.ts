import { Temporal } from 'temporal-polyfill'
import type { Ports } from '../ports/ports.ts'
import { storedValue } from '../ports/token-vault.ts'
import { parseAccountId } from '../tokens/account-id.ts'
import { nextClock } from '../tokens/session-model.ts'
import type { DemoWorld } from './demo-world.ts'

const ZONE = 'Asia/Kolkata'
/** Before the first tokens die (Upstox 03:30, FYERS 06:00) and just before IIFL's run at 03:00. */
const STARTS = '02:55'
/** Between FYERS' runs at 08:00 and 08:30: late enough that the message has been out for a while. */
const LOGS_IN = '08:10'
const WHO_LOGS_IN = 'fyers/BINA'

/** 02:55 in India, today if that is a weekday, else on Monday. */
export function demoStart(today: Temporal.Instant): Temporal.Instant {
  let day = today.toZonedDateTimeISO(ZONE).toPlainDate()
  while (day.dayOfWeek > 5) day = day.add({ days: 1 })
  return day.toZonedDateTime({ timeZone: ZONE, plainTime: STARTS }).toInstant()
}

/** What people do in the simulated world, who have no program to do it for them. */
export class DemoStory {
  readonly #world: DemoWorld
  readonly #ports: Ports
  readonly #tell: (sentence: string) => void
  readonly #logsInAt: Temporal.Instant
  #loggedIn = false

  constructor(world: DemoWorld, ports: Ports, tell: (sentence: string) => void) {
    this.#world = world
    this.#ports = ports
    this.#tell = tell
    this.#logsInAt = nextClock({ at: LOGS_IN, timeZone: ZONE, day: 'first' }, ports.clock.now())
  }

  /** To be called every moment. */
  async tick(): Promise<void> {
    if (this.#loggedIn || Temporal.Instant.compare(this.#ports.clock.now(), this.#logsInAt) < 0) return
    this.#loggedIn = true
    const refreshToken = storedValue('refresh_token', this.#world.logInAtFyers())
    await this.#ports.vault.write(parseAccountId(WHO_LOGS_IN), 'refresh_token', refreshToken)
    this.#tell(`Bina reads the message and logs in at FYERS; the next run of FYERS takes it from there`)
  }
}
