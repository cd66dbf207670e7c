import { randomBytes } from 'node:crypto'
import type { Temporal } from 'temporal-polyfill'
import { nextClock } from '../../model/expiry/session-model.ts'
import { isAfter } from '../../model/time/instants.ts'
import type { Clock } from '../../ports/clock.ts'

const DEATH = { at: '06:00', timeZone: 'Asia/Kolkata', day: 'first' } as const

interface Session {
  readonly userId: string
  readonly diesAt: Temporal.Instant
}

/** Kite's opaque tokens: which of them live, and whose they are. Nothing in a token tells. */
export class ZerodhaSessions {
  readonly #clock: Clock
  readonly #requestTokens = new Map<string, Session>()
  readonly #sessions = new Map<string, Session>()
  readonly #refreshTokens = new Map<string, string>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  newRequestToken(userId: string, lifeSeconds: number): string {
    const token = opaque()
    this.#requestTokens.set(token, { userId, diesAt: this.#clock.now().add({ seconds: lifeSeconds }) })
    return token
  }

  /** The user of a request token, which is spent by being looked at. */
  spendRequestToken(token: string): string | undefined {
    const userId = this.#holder(this.#requestTokens, token)
    this.#requestTokens.delete(token)
    return userId
  }

  /** An access token that dies at 06:00 IST; with `only` it ends the user's other sessions. */
  open(userId: string, { only }: { readonly only: boolean }): string {
    if (only) this.endAll(userId)
    const token = opaque()
    this.#sessions.set(token, { userId, diesAt: nextClock(DEATH, this.#clock.now()) })
    return token
  }

  holderOf(accessToken: string): string | undefined {
    return this.#holder(this.#sessions, accessToken)
  }

  /** Whether there was such a session. */
  end(accessToken: string): boolean {
    return this.#sessions.delete(accessToken)
  }

  endAll(userId: string): void {
    for (const [token, session] of this.#sessions) if (session.userId === userId) this.end(token)
  }

  newRefreshToken(userId: string): string {
    const token = opaque()
    this.#refreshTokens.set(token, userId)
    return token
  }

  holderOfRefreshToken(refreshToken: string): string | undefined {
    return this.#refreshTokens.get(refreshToken)
  }

  /** Whether there was such a refresh token. */
  revoke(refreshToken: string): boolean {
    return this.#refreshTokens.delete(refreshToken)
  }

  #holder(tokens: ReadonlyMap<string, Session>, token: string): string | undefined {
    const session = tokens.get(token)
    const lives = session && isAfter(session.diesAt, this.#clock.now())
    return lives ? session.userId : undefined
  }
}

function opaque(): string {
  return randomBytes(16).toString('hex')
}
