import { localInstant } from '../model/time/local-time.ts'
import type { Clock } from '../ports/clock.ts'
import { LONGEST_PAUSE_MS, pauseMs } from './calls/backoff.ts'
import { TokenUnavailableError } from './errors.ts'
import { SingleFlights } from './single-flights.ts'
import type { ClientToken, TokenSource } from './sources/token-source.ts'
import { deadAtMs, LOOK_HOLDS_MS, leftMs, warmUntilMs } from './token-life.ts'
import { unavailable, unavailableOf } from './unavailable.ts'

/** Milliseconds between requests to renew what is due; the keeper also works by itself. */
const RENEW_HOLDS_MS = 30_000
/** Milliseconds for which a token found alive is not reported again. */
const REPORT_HOLDS_MS = 15_000
/** Further tries to reach the keeper (requirement R2.7), and the longest wait between them. */
const REPEATS = 3
const PATIENCE_MS = 10_000
/** Codes that say nothing about the token: the client had no right to a proof, or reached no keeper. */
const CANNOT_TELL: ReadonlySet<string> = new Set([
  'cannot_renew',
  'insufficient_scope',
  'unreachable',
  'busy',
  'rate_limited',
])
/** Those of {@link CANNOT_TELL} that come from a keeper that was at work. */
const STOPPED: ReadonlySet<string> = new Set(['busy', 'rate_limited'])

export interface TokenViewOptions {
  readonly source: TokenSource
  readonly clock: Clock
  readonly random: () => number
  /** Called when another token than the known one is seen. */
  readonly onNew: (token: ClientToken) => void
}

/**
 * What this program knows of the account's token. However many callers ask at once, one call is made to the
 * source, and none while the token is not due. Every method throws TokenUnavailableError.
 */
export class TokenView {
  readonly #source: TokenSource
  readonly #clock: Clock
  readonly #random: () => number
  readonly #onNew: (token: ClientToken) => void
  readonly #flights: SingleFlights
  #token: ClientToken | undefined
  /** Until when the token is used without a look, in epoch milliseconds. */
  #warmUntilMs = 0
  #readAtMs = Number.NEGATIVE_INFINITY
  #renewedAtMs = Number.NEGATIVE_INFINITY
  #foundAlive: { readonly token: ClientToken; readonly untilMs: number } | undefined
  /** Looks are numbered as they begin, so that an older look's result does not replace a newer one. */
  #begun = 0
  #accepted = 0

  constructor({ source, clock, random, onNew }: TokenViewOptions) {
    this.#source = source
    this.#clock = clock
    this.#random = random
    this.#onNew = onNew
    this.#flights = new SingleFlights(() => this.#nowMs())
  }

  /** The known token while none is due, without a call; `undefined` where a look is needed. */
  get warm(): ClientToken | undefined {
    return this.#nowMs() < this.#warmUntilMs ? this.#token : undefined
  }

  /** A token that nothing speaks against: read when due, renewed when dead, proven when in doubt. */
  async current(): Promise<ClientToken> {
    return this.warm ?? this.#flights.run('current', () => this.#readOrRenewed())
  }

  /** The known token, also unproven; `undefined` where it is dead, by its end or by the keeper's word. */
  get alive(): ClientToken | undefined {
    return this.#token && !this.#isDead(this.#token) ? this.#token : undefined
  }

  /** The known token after a failed proof; one in doubt only where the code says nothing about the token. */
  aliveDespite({ code }: Pick<TokenUnavailableError, 'code'>): ClientToken | undefined {
    const token = this.alive
    return token?.unprovenSince && !CANNOT_TELL.has(code) ? undefined : token
  }

  /**
   * A token that is good enough, where reading the published one or a renewal brings one; else the present
   * one. What was requested a moment ago is not requested again.
   */
  async better(isEnough: (token: ClientToken) => boolean): Promise<ClientToken> {
    let token = this.warm ?? (await this.current())
    if (isEnough(token)) return token
    if (this.#nowMs() - this.#readAtMs >= LOOK_HOLDS_MS) token = await this.look()
    return isEnough(token) ? token : this.renew({ force: false })
  }

  /**
   * Milliseconds left for certain: 0 where the token counts as dead; `undefined` where its life is not known.
   */
  leftMs(token: ClientToken): number | undefined {
    return leftMs(token, this.#nowMs())
  }

  /** Reads the published token now. */
  look(): Promise<ClientToken> {
    return this.#flights.run('look', () => this.#taken(() => this.#source.read()))
  }

  /** The published token as read within the last seconds, alive or not; else read now. */
  async seen(): Promise<ClientToken> {
    const isRecent = this.#nowMs() - this.#readAtMs < LOOK_HOLDS_MS
    return this.#token && isRecent ? this.#token : this.look()
  }

  /** Has the keeper renew what is due; without force not twice in half a minute. */
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
   * Returns a newer token after the broker has refused this one; `undefined` where the keeper finds this one
   * alive. It is reported once, however many calls were refused, and not at all where a newer one is known.
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
      // While a token still lives, callers must not wait for a source that cannot be reached.
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

  /** Has the keeper prove the token; where that is not possible, returns it with its doubt. */
  async #proven(token: ClientToken): Promise<ClientToken> {
    let proven = token
    try {
      proven = this.#usable(await this.renew({ force: false }))
    } catch (error) {
      const { code } = error as TokenUnavailableError
      if (!CANNOT_TELL.has(code)) throw error
      // The keeper may have heard the broker's refusal before something else stopped it.
      if (STOPPED.has(code)) proven = await this.look()
      if (this.#isDead(proven)) throw error
    }
    // Only now, after asking: no caller may get a token in doubt before.
    if (proven.unprovenSince) this.#warmUntilMs = this.#nowMs() + LOOK_HOLDS_MS
    return proven
  }

  #isDead(token: ClientToken): boolean {
    return this.leftMs(token) === 0 || (token.live === false && !token.unprovenSince)
  }

  /** When the token dies, in words. */
  diesAt({ expiresAt }: ClientToken): string {
    return expiresAt
      ? localInstant(expiresAt, this.#source.broker.session.timeZone)
      : 'at a time nobody can tell'
  }

  /** What the source returns, with repeats after passing faults. */
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

/** Whether both are the same access token, whatever their generation or version. */
function same(a: ClientToken, b: ClientToken): boolean {
  return a.accessToken.equals(b.accessToken)
}
