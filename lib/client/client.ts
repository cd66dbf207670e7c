import type { Temporal } from 'temporal-polyfill'
import type { Dispatcher } from 'undici'
import { Egress } from '../http/egress.ts'
import { localInstant } from '../model/time/local-time.ts'
import type { Clock } from '../ports/clock.ts'
import { systemClock } from '../system-clock.ts'
import { AllowedUrls } from './calls/allowed-urls.ts'
import type { CallInit } from './calls/call.ts'
import { Calls } from './calls/calls.ts'
import { REFUSED_BY_STATUS } from './calls/refused-token.ts'
import type { Reply } from './calls/reply.ts'
import { TokenUnavailableError } from './errors.ts'
import { neededUntil, type TokenLifeNeeded } from './need.ts'
import { type NewTokenListener, NewTokenListeners } from './new-token-listeners.ts'
import type { ClientToken, TokenSource } from './sources/token-source.ts'
import { TokenView } from './token-view.ts'
import { unavailable } from './unavailable.ts'

/** Requirement R4.1 of the POS connector: half an hour before the end a token is about to expire. */
const EXPIRING_SOON_MINUTES = 30
/** A broker that has not begun to answer by then will not. */
const REPLY_TIMEOUT_MS = 30_000
const MAY_NOT_RENEW: ReadonlySet<string> = new Set(['cannot_renew', 'insufficient_scope'])

export interface ClientOptions {
  readonly source: TokenSource
  /** The address of a self-hosted backend, with or without a path. */
  readonly baseUrl?: string
  /** Origins that replace the broker's own, by host name. @default - the source's */
  readonly hosts?: Readonly<Record<string, string>>
  /** Hosts that may be called over plain http; loopback is always allowed. */
  readonly allowHttpHosts?: readonly string[]
  /** Headers of every call; a call's own headers count more. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * Seconds between looks for a newer token, while there are listeners. @default - only calls look, when one
   * is due
   */
  readonly watchSeconds?: number
  /**
   * The undici dispatcher for all calls, which stays open. @default - an own one, by HTTPS_PROXY and NO_PROXY
   * where set
   */
  readonly dispatcher?: Dispatcher
  /** @default - the host's */
  readonly clock?: Clock
  /** A number from 0 to 1, by which pauses vary. @default - Math.random */
  readonly random?: () => number
}

/** How long a token must last, and whether a live one may be renewed for that. */
export interface TokenWish extends TokenLifeNeeded {
  /**
   * Whether to renew a live token that does not last long enough. That costs a login, and the keeper may
   * require the right to it.
   */
  readonly force?: boolean
}

/**
 * A broker account as a program uses it: with a token that works, or an early error that says who must act.
 */
export interface TokenkeeperClient {
  /**
   * A token that lasts as long as wished, as far as that is known. Makes no call before one is due. Throws
   * TokenUnavailableError rather than return one that dies earlier, ConfigurationError for a wish that makes
   * no sense.
   */
  getToken(wish?: TokenWish): Promise<ClientToken>
  /**
   * The token, renewed where it has expired or does so within `withinMinutes` (R4.1; 30 unless given). One
   * that cannot be renewed is returned as long as it lives. Throws TokenUnavailableError.
   */
  ensureValidToken(withinMinutes?: number): Promise<ClientToken>
  /**
   * Gets a new token even if the present one is live; the broker's login budget applies. Throws
   * TokenUnavailableError.
   */
  refreshToken(): Promise<ClientToken>
  /**
   * Whether the token has expired or does so within `minutes` (30 unless given); true where there is none.
   * Throws TokenUnavailableError.
   */
  isTokenExpiringSoon(minutes?: number): Promise<boolean>
  /** Makes sure that there is a token; with `force` a new one. Throws TokenUnavailableError. */
  authenticate(options?: { readonly force?: boolean }): Promise<ClientToken>
  /**
   * Reads the published token now, for a program that was told of a new one. Throws TokenUnavailableError.
   */
  lookForNewToken(): Promise<ClientToken>
  /**
   * Calls `listener` whenever another token than the known one is seen: after a refusal, when one is due, by
   * lookForNewToken, or every `watchSeconds`. Returns the function that removes the listener.
   */
  onNewToken(listener: NewTokenListener): () => void
  /**
   * Calls an address of the broker like the global fetch, with the broker's Authorization header. After a
   * refusal the token is reported, and the call made once more with the newer one. After a passing fault the
   * call is repeated up to three times, where that is safe. Throws CallError, TokenUnavailableError, and the
   * signal's reason.
   */
  fetch(address: string | URL, init?: CallInit): Promise<Reply>
  /** Ends watching and closes the connections; read all replies before. */
  close(): Promise<void>
}

/**
 * Makes a client. Throws ConfigurationError for a base URL or a replaced host to which a token must not be
 * sent.
 */
export function createClient(options: ClientOptions): TokenkeeperClient {
  const { source, clock = systemClock, random = Math.random, watchSeconds } = options
  const { broker } = source
  const own = options.dispatcher ? undefined : new Egress({ headersTimeout: REPLY_TIMEOUT_MS })
  const listeners = new NewTokenListeners({ watchSeconds, look: () => view.look() })
  const view = new TokenView({ source, clock, random, onNew: (token) => listeners.tell(token) })
  const calls = new Calls({
    view,
    clock,
    random,
    urls: new AllowedUrls({ ...options, broker, hosts: { ...source.hosts, ...options.hosts } }),
    rule: broker.refusal ?? REFUSED_BY_STATUS,
    brokerName: broker.displayName,
    headers: lowerCased({ ...broker.api?.headers, ...options.headers }),
    dispatcher: options.dispatcher ?? (own as Egress),
  })

  const getToken = async (wish: TokenWish = {}): Promise<ClientToken> => {
    const until = neededUntil(wish, broker.tradingSession, clock.now())
    if (until === undefined) return view.warm ?? view.current()
    const isEnough = (token: ClientToken): boolean => outlives(token, until)
    try {
      let token = await view.better(isEnough)
      if (!isEnough(token) && wish.force) token = await view.renew({ force: true })
      if (isEnough(token)) return token
      throw tooShort(token, until, source, view)
    } catch (error) {
      // A program that may only read is told that the token is too short, and not that it may not renew it.
      if (view.alive && MAY_NOT_RENEW.has((error as TokenUnavailableError).code)) {
        throw tooShort(view.alive, until, source, view)
      }
      throw error
    }
  }

  const ensureValidToken = async (withinMinutes = EXPIRING_SOON_MINUTES): Promise<ClientToken> => {
    try {
      return await view.better((token) => !isEnding(view, token, withinMinutes))
    } catch (error) {
      // A token that cannot be renewed is used while it lives (R1.5), but not one that the broker has just
      // refused.
      const alive = view.aliveDespite(error as TokenUnavailableError)
      if (alive) return alive
      throw error
    }
  }

  return {
    getToken,
    ensureValidToken,
    refreshToken: () => view.renew({ force: true }),
    async isTokenExpiringSoon(minutes = EXPIRING_SOON_MINUTES) {
      try {
        return isEnding(view, view.warm ?? (await view.seen()), minutes)
      } catch (error) {
        if (error instanceof TokenUnavailableError && error.code === 'no_token') return true
        throw error
      }
    },
    authenticate: ({ force = false } = {}) => (force ? view.renew({ force }) : ensureValidToken()),
    lookForNewToken: () => view.look(),
    onNewToken: (listener) => listeners.add(listener),
    fetch: (address, init) => calls.fetch(address, init),
    async close() {
      listeners.clear()
      await Promise.all([own?.destroy(), source.close?.()])
    },
  }
}

function outlives({ expiresAt }: ClientToken, until: Temporal.Instant): boolean {
  return expiresAt !== undefined && expiresAt.epochMilliseconds >= until.epochMilliseconds
}

/**
 * Whether a token ends within `minutes`, that minute included, as R4.1 requires. A token of unknown life is
 * used until it is refused.
 */
function isEnding(view: TokenView, token: ClientToken, minutes: number): boolean {
  const leftMs = view.leftMs(token)
  return leftMs !== undefined && leftMs <= minutes * 60_000
}

function tooShort(
  token: ClientToken,
  until: Temporal.Instant,
  { account, broker }: TokenSource,
  view: TokenView,
): TokenUnavailableError {
  const needed = localInstant(until, broker.session.timeZone)
  if (!token.expiresAt) {
    return unavailable(account, {
      code: 'unknown_expiry',
      reason: `it must last until ${needed}, and nobody can tell how long it does`,
      fix: `have the keeper publish one of its own: tokenkeeper refresh ${account} --force`,
    })
  }
  return unavailable(account, {
    code: 'too_short',
    reason: `it must last until ${needed}, and dies ${view.diesAt(token)}`,
    fix:
      `get a new one first (tokenkeeper refresh ${account} --force, or tokenkeeper login ${account}), or raise the ` +
      "account's leewayMinutes so that it is renewed earlier",
  })
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
