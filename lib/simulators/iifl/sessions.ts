import { createHash } from 'node:crypto'
import type { Temporal } from 'temporal-polyfill'
import { nextClock } from '../../model/expiry/session-model.ts'
import type { Clock } from '../../ports/clock.ts'
import { simulatedJwt } from '../kit/simulated-token.ts'
import type { IiflBehaviour, IiflUser } from './behaviour.ts'

const AUTH_CODE_LIFE_MIN = 15

/** Auth codes and what they are exchanged for. */
export class IiflSessions {
  readonly #clock: Clock
  readonly #behaviour: IiflBehaviour
  readonly #codes = new Map<string, { readonly user: IiflUser; readonly issuedAt: Temporal.Instant }>()
  readonly #live = new Map<string, { readonly user: IiflUser; readonly diesAt: Temporal.Instant }>()
  #serial = 0

  constructor(clock: Clock, behaviour: IiflBehaviour) {
    this.#clock = clock
    this.#behaviour = behaviour
  }

  codeFor(user: IiflUser): string {
    this.#serial += 1
    const code = `AUTHCODE${String(this.#serial).padStart(4, '0')}`
    this.#codes.set(code, { user, issuedAt: this.#clock.now() })
    return code
  }

  /** The code whose checksum this is, used up by the asking; `undefined` for a wrong, old or spent one. */
  redeem(checkSum: unknown): IiflUser | undefined {
    for (const [code, { user, issuedAt }] of this.#codes) {
      const expected = createHash('sha256')
        .update(user.clientId + code + user.appSecret)
        .digest('hex')
      if (expected !== checkSum) continue
      this.#codes.delete(code)
      return issuedAt.until(this.#clock.now()).total('minutes') < AUTH_CODE_LIFE_MIN ? user : undefined
    }
    return undefined
  }

  sessionFor(user: IiflUser): string {
    const { claimedClientId, death, sessionHasExp, singleLiveSession } = this.#behaviour
    if (singleLiveSession) this.end(user.clientId)
    const issuedAt = this.#clock.now()
    const diesAt = nextClock(death, issuedAt)
    const session = simulatedJwt(
      { preferred_username: claimedClientId ?? user.clientId },
      { issuedAt, ...(sessionHasExp && { expiresAt: diesAt }) },
    )
    this.#live.set(session, { user, diesAt })
    return session
  }

  holder(session: string | undefined): IiflUser | undefined {
    const live = this.#live.get(session ?? '')
    return live && live.diesAt.epochMilliseconds > this.#clock.now().epochMilliseconds ? live.user : undefined
  }

  /** Ends the sessions of a client, as a logout or a login elsewhere does. */
  end(clientId: string): void {
    for (const [session, { user }] of this.#live) if (user.clientId === clientId) this.#live.delete(session)
  }
}

/** Counts calls per key and second of the virtual clock. */
export class PerSecondLimit {
  readonly #clock: Clock
  readonly #calls = new Map<string, { readonly second: number; readonly calls: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Counts one call; true when it is one too many. */
  exceeded(key: string, perSecond: number): boolean {
    const second = Math.floor(this.#clock.now().epochMilliseconds / 1000)
    const before = this.#calls.get(key)
    const calls = before?.second === second ? before.calls + 1 : 1
    this.#calls.set(key, { second, calls })
    return calls > perSecond
  }
}
