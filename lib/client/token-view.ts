import { localInstant } from '../model/time/local-time.ts'
import type { Clock } from '../ports/clock.ts'
import { LONGEST_PAUSE_MS, pauseMs } from './calls/backoff.ts'
import { TokenUnavailableError } from './errors.ts'
import { SingleFlights } from './single-flights.ts'
import type { ClientToken, TokenSource } from './sources/token-source.ts'
import { deadAtMs, LOOK_HOLDS_MS, leftMs, warmUntilMs } from './token-life.ts'
import { unavailable, unavailableOf } from './unavailable.ts'

/** How often the keeper is asked to renew what is due; it is at work by itself. */
const RENEW_HOLDS_MS = 30_000
/** A token the keeper has found alive is not reported again so soon, whatever the broker says to a call. */
const REPORT_HOLDS_MS = 15_000
/** Further tries to reach the keeper (requirement R2.7), and the longest wait it may ask for in between. */
const REPEATS = 3
const PATIENCE_MS = 10_000
/** Says nothing of the token: whoever asked may not have it proven, or reached nobody who could. */
const CANNOT_TELL: ReadonlySet<string> = new Set([
  'cannot_renew',
  'insufficient_scope',
  'unreachable',
  'busy',
  'rate_limited',
])
/** Of these the ones a keeper gives that was at work. */
const STOPPED: ReadonlySet<string> = new Set(['busy', 'rate_limited'])

export interface TokenViewOptions {
  readonly source: TokenSource
  readonly clock: Clock
  readonly random: () => number
  /** Another token than the one known so far is there. */
  readonly onNew: (token: ClientToken) => void
}

/**
 * What this program knows of the account's token. However many ask at once, there is one call to the source; while
 * the token is not due there is none. Every method throws TokenUnavailableError.
 */
export class TokenView {
  readonly #source: TokenSource
  readonly #clock: Clock
  readonly #random: () => number
  readonly #onNew: (token: ClientToken) => void
  readonly #flights: SingleFlights
  #token: ClientToken | undefined
  /** Until when the token is handed out without a look at the source. */
  #warmUntilMs = 0
  #readAtMs = Number.NEGATIVE_INFINITY
  #renewedAtMs = Number.NEGATIVE_INFINITY
  #foundAlive: { readonly token: ClientToken; readonly untilMs: number } | undefined
  /** Looks are numbered as they begin: one that began before what is known was read is too late. */
  #begun = 0
  #accepted = 0

  constructor({ source, clock, random, onNew }: TokenViewOptions) {
    this.#source = source
    this.#clock = clock
    this.#random = random
    this.#onNew = onNew
    this.#flights = new SingleFlights(() => this.#nowMs())
  }

  /** The known token while nothing is due; costs no call. */
  get warm(): ClientToken | undefined {
    return this.#nowMs() < this.#warmUntilMs ? this.#token : undefined
  }

  /** A token that nothing speaks against: read when due, renewed when dead, proven where that is in doubt. */
  async current(): Promise<ClientToken> {
    return this.warm ?? this.#flights.run('current', () => this.#readOrRenewed())
  }

  /** The known token unless it counts as dead, or the keeper says that it is not live. It may be unproven. */
  get alive(): ClientToken | undefined {
    return this.#token && !this.#isDead(this.#token) ? this.#token : undefined
  }

  /** The same where a proof failed for this reason: one in doubt is given only where the reason says nothing of it. */
  aliveDespite({ code }: Pick<TokenUnavailableError, 'code'>): ClientToken | undefined {
    const token = this.alive
    return token?.unprovenSince && !CANNOT_TELL.has(code) ? undefined : token
  }

  /**
   * A token that is good enough, if reading the published one or having it renewed brings one; else the present one.
   * What was asked for a moment ago is not asked for again.
   */
  async better(isEnough: (token: ClientToken) => boolean): Promise<ClientToken> {
    let token = this.warm ?? (await this.current())
    if (isEnough(token)) return token
    if (this.#nowMs() - this.#readAtMs >= LOOK_HOLDS_MS) token = await this.look()
    return isEnough(token) ? token : this.renew({ force: false })
  }

  /** Milliseconds the token surely has left: 0 when it counts as dead; `undefined` when nobody can tell. */
  leftMs(token: ClientToken): number | undefined {
    return leftMs(token, this.#nowMs())
  }

  /** Reads the published token. */
  look(): Promise<ClientToken> {
    return this.#flights.run('look', () => this.#taken(() => this.#source.read()))
  }

  /** The published token as it was read a moment ago, whether it lives or not; else read now. */
  async seen(): Promise<ClientToken> {
    const isRecent = this.#nowMs() - this.#readAtMs < LOOK_HOLDS_MS
    return this.#token && isRecent ? this.#token : this.look()
  }

  /** Has the keeper renew what is due; asked a moment ago it is not asked again, unless by force. */
  async renew({ force }: { readonly force: boolean }): Promise<ClientToken> {
    const askedNow = this.#nowMs() - this.#renewedAtMs < RENEW_HOLDS_MS
    if (!force && askedNow && this.#token) return this.#token
    return this.#flights.run(force ? 'force' : 'renew', async () => {
      const token = await this.#taken(async () => {
        return (await this.#source.renew({ force })) ?? (await this.#source.read())
      })
      this.#renewedAtMs = this.#nowMs()
      return token
    })
  }

  /**
   * The broker refused this token: gives a newer one, or `undefined` when the keeper finds this one alive. Somebody
   * else may have got the newer one already; else it is reported once, however many were refused.
   */
  async recover(refused: ClientToken): Promise<ClientToken | undefined> {
    const known = this.#token
    if (known && !same(known, refused)) return known
    const alive = this.#foundAlive
    if (alive && same(alive.token, refused) && this.#nowMs() < alive.untilMs) return undefined
    const token = await this.#flights.run('report', async () => {
      const after = await this.#taken(async () => {
        return (await this.#source.report(refused)) ?? (await this.#source.read())
      })
      if (same(after, refused)) {
        this.#foundAlive = { token: after, untilMs: this.#nowMs() + REPORT_HOLDS_MS }
      }
      return after
    })
    return same(token, refused) ? undefined : token
  }

  async #readOrRenewed(): Promise<ClientToken> {
    const usable = this.alive
    try {
      // With a token that still lives nobody should have to wait for a source that is away.
      const token = usable ? await this.#took(() => this.#source.read()) : await this.look()
      if (!this.#isDead(token)) return token.unprovenSince ? await this.#proven(token) : token
    } catch (error) {
      if (usable && !usable.unprovenSince) {
        this.#warmUntilMs = Math.min(this.#nowMs() + LOOK_HOLDS_MS, deadAtMs(usable))
        return usable
      }
      if (!(error instanceof TokenUnavailableError && error.code === 'no_token')) throw error
    }
    return this.#usable(await this.renew({ force: false }))
  }

  #usable(token: ClientToken): ClientToken {
    if (!this.#isDead(token)) return token
    const why = this.leftMs(token) === 0 ? `it expired ${this.diesAt(token)}` : 'the broker has refused it'
    throw unavailable(this.#source.account, {
      code: 'expired',
      reason: `${why}, and there is no newer one yet`,
      fix: 'ask again after the next run, or see tokenkeeper status',
      retryAfterSeconds: RENEW_HOLDS_MS / 1_000,
    })
  }

  /** Has the keeper ask the broker; who may not, or does not reach it, gets the token with the doubt on it. */
  async #proven(token: ClientToken): Promise<ClientToken> {
    let proven = token
    try {
      proven = this.#usable(await this.renew({ force: false }))
    } catch (error) {
      const { code } = error as TokenUnavailableError
      if (!CANNOT_TELL.has(code)) throw error
      // A keeper that was reached may have heard the broker's refusal before something else stopped it.
      if (STOPPED.has(code)) proven = await this.look()
      if (this.#isDead(proven)) throw error
    }
    // Only now: until somebody has been asked, nobody gets a token in doubt without asking.
    if (proven.unprovenSince) this.#warmUntilMs = this.#nowMs() + LOOK_HOLDS_MS
    return proven
  }

  #isDead(token: ClientToken): boolean {
    return this.leftMs(token) === 0 || (token.live === false && !token.unprovenSince)
  }

  /** When it dies, for a sentence. */
  diesAt({ expiresAt }: ClientToken): string {
    return expiresAt
      ? localInstant(expiresAt, this.#source.broker.session.timeZone)
      : 'at a time nobody can tell'
  }

  /** What the source gives, after passing faults have been waited for. */
  async #taken(read: () => Promise<ClientToken>): Promise<ClientToken> {
    for (let repeat = 1; ; repeat++) {
      try {
        return await this.#took(read)
      } catch (error) {
        const { retryAfterSeconds = Number.POSITIVE_INFINITY } = error as TokenUnavailableError
        if (repeat > REPEATS || retryAfterSeconds * 1_000 > PATIENCE_MS) throw error
        await this.#clock.sleep(pauseMs(repeat, retryAfterSeconds * 1_000, this.#random) ?? LONGEST_PAUSE_MS)
      }
    }
  }

  async #took(read: () => Promise<ClientToken>): Promise<ClientToken> {
    const number = ++this.#begun
    try {
      return this.#accept(await read(), number)
    } catch (error) {
      throw unavailableOf(error, this.#source.account)
    }
  }

  #accept(token: ClientToken, number: number): ClientToken {
    const known = this.#token
    if (known && number < this.#accepted) return known
    this.#accepted = number
    this.#token = token
    this.#readAtMs = this.#nowMs()
    this.#warmUntilMs = warmUntilMs(token, this.#readAtMs)
    if (known && !same(known, token)) this.#onNew(token)
    return token
  }

  #nowMs(): number {
    return this.#clock.now().epochMilliseconds
  }
}

/** Whether it is the same access token, whatever counts it. */
function same(a: ClientToken, b: ClientToken): boolean {
  return a.accessToken.equals(b.accessToken)
}
