import { retryAfterMs } from '../../http/retry-after.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ClientToken } from '../sources/token-source.ts'
import type { TokenView } from '../token-view.ts'
import type { AllowedUrls } from './allowed-urls.ts'
import { pauseMs } from './backoff.ts'
import { type Call, type CallInit, callOf } from './call.ts'
import { clientIdMissing, noReply, redirected, spentBody } from './call-errors.ts'
import { CallFault, discard, type ExchangeOptions, exchange, type SeenReply } from './exchange.ts'
import type { Reply } from './reply.ts'
import type { ReplyHead } from './reply-head.ts'

/** Statuses of passing faults, of a broker or of what is in front of it. */
const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504])
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const MOST_REDIRECTS = 5
/** Faults that a repeat would meet again. */
const LASTING =
  /CERT|SSL|TLS|SIGNATURE|PROXY_ANSWERED_4|UND_ERR_INVALID_ARG|UND_ERR_NOT_SUPPORTED|ERR_INVALID/

export interface CallsOptions extends ExchangeOptions {
  readonly view: TokenView
  readonly urls: AllowedUrls
  readonly brokerName: string
  /** Headers of every call; the caller's own count more. */
  readonly headers: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly random: () => number
}

/**
 * Calls to the broker with the account's token. After a refusal the token is reported, and the call repeated
 * once with the newer one (R4.3). After a passing fault a call is repeated a few times, where that is safe.
 */
export class Calls {
  readonly #options: CallsOptions

  constructor(options: CallsOptions) {
    this.#options = options
  }

  /**
   * Calls an address like the global fetch, with the account's token. Throws CallError,
   * TokenUnavailableError, and the signal's reason.
   */
  async fetch(address: string | URL, init: CallInit = {}): Promise<Reply> {
    const { view, urls, headers } = this.#options
    const call = callOf(urls.resolve(address), init, headers)
    const token = view.warm ?? (await view.current())
    const authorization = this.#authorizationOf(token)
    const first = await exchange(call, { url: call.url, authorization, redirected: false }, this.#options)
    // The way of nearly every call, without a further step.
    if (!(first instanceof CallFault) && !first.refused && first.reply.ok) return first.reply
    const answer = await this.#repeated(call, authorization, first)
    return answer.refused ? this.#withNewerToken(call, token, answer) : answer.reply
  }

  async #withNewerToken(call: Call, refused: ClientToken, { reply, body }: SeenReply): Promise<Reply> {
    let newer: ClientToken | undefined
    try {
      newer = await this.#options.view.recover(refused)
    } catch (error) {
      discard(body)
      throw error
    }
    // The keeper has proven the token meanwhile, so the refusal is about something else.
    if (!newer) return reply
    discard(body)
    if (!call.content.replayable) throw spentBody(call)
    const authorization = this.#authorizationOf(newer)
    const first = await exchange(call, { url: call.url, authorization, redirected: false }, this.#options)
    return (await this.#repeated(call, authorization, first)).reply
  }

  /** The answer after the repeats that passing faults need and the call allows. Throws CallError. */
  async #repeated(call: Call, authorization: string, first: SeenReply | CallFault): Promise<SeenReply> {
    const { clock } = this.#options
    for (let repeat = 1, outcome = first; ; repeat++) {
      const answer =
        outcome instanceof CallFault ? outcome : await this.#followed(call, authorization, outcome)
      const waitMs = repeat > call.repeats ? undefined : this.#pauseAfter(answer, repeat)
      if (answer instanceof CallFault) {
        if (waitMs === undefined) throw noReply(call, answer)
      } else {
        if (waitMs === undefined) return answer
        discard(answer.body)
      }
      await sleep(clock, waitMs, call.signal)
      outcome = await exchange(call, { url: call.url, authorization, redirected: false }, this.#options)
    }
  }

  /** Milliseconds until a repeat makes sense; `undefined` where it makes none. */
  #pauseAfter(outcome: SeenReply | CallFault, repeat: number): number | undefined {
    const { clock, random } = this.#options
    if (outcome instanceof CallFault)
      return LASTING.test(outcome.reason) ? undefined : pauseMs(repeat, 0, random)
    const { head } = outcome
    if (!PASSING.has(head.status)) return undefined
    const hintMs = retryAfterMs(head.header('retry-after'), clock.now().epochMilliseconds)
    // Without a hint it is not known how long to wait after a 429, and a guess would be throttled again.
    if (head.status === 429 && hintMs === undefined) return undefined
    return pauseMs(repeat, hintMs ?? 0, random)
  }

  /** Follows redirects within the host, where the token may be sent too. */
  async #followed(call: Call, authorization: string, first: SeenReply): Promise<SeenReply | CallFault> {
    let answer = first
    let { url } = call
    for (let hops = 0; ; hops++) {
      const target = answer.refused ? undefined : targetOf(answer.head, url)
      if (!target || call.redirect === 'manual') return answer
      const follows = isRead(call.method) && target.origin === url.origin
      if (!follows && call.redirect === 'follow') return answer
      discard(answer.body)
      if (call.redirect === 'error') throw redirected(call, 'redirected')
      if (hops === MOST_REDIRECTS) throw redirected(call, 'too_many_redirects')
      url = target
      const next = await exchange(call, { url, authorization, redirected: true }, this.#options)
      if (next instanceof CallFault) return next
      answer = next
    }
  }

  #authorizationOf({ authorization, account }: ClientToken): string {
    if (authorization) return authorization.reveal()
    throw clientIdMissing(this.#options.brokerName, account)
  }
}

/** Where a redirect leads; `undefined` for a reply that is none. */
function targetOf(head: ReplyHead, from: URL): URL | undefined {
  const location = REDIRECTS.has(head.status) ? head.header('location') : undefined
  return location === undefined ? undefined : (URL.parse(location, from.href) ?? undefined)
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

async function sleep(clock: Clock, milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return clock.sleep(milliseconds)
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([clock.sleep(milliseconds), aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
