import { Hono } from 'hono'
import jsonwebtoken from 'jsonwebtoken'
import { Temporal } from 'temporal-polyfill'
import type { Clock } from '../../ports/clock.ts'
import { simulatedJwt } from '../kit/simulated-token.ts'
import type { Simulator, SimulatorEnv } from '../kit/simulator.ts'

const ZONE = 'Asia/Kolkata'

/** How the service writes `expires_at` (lib/brokers/upstox/README.md, Token service), or that it does not. */
export type ExpiresAtFormat =
  | 'iso'
  | 'iso_naive'
  | 'epoch_seconds'
  | 'epoch_milliseconds'
  | 'epoch_seconds_text'
  | 'epoch_milliseconds_text'
  | 'absent'

/** One answer of an account's script. */
export type ScriptedAnswer =
  /** The token the service holds; one is made at the first question. */
  | 'current'
  /** A newly approved token, which becomes the current one. */
  | 'fresh'
  /** A token of the right user whose `exp` has passed. */
  | 'expired'
  | 'without_token'
  | 'empty_token'
  | 'error_text_as_token'
  | 'html'
  | { readonly tokenOf: string }
  | { readonly token: string }
  | { readonly status: number; readonly retryAfterSeconds?: number }

/** What an account's two routes answer, one after another; the last answer stays. */
export interface Script {
  token: ScriptedAnswer[]
  refresh: ScriptedAnswer[]
}

/** Switches of the service as a whole. */
export interface TokenServiceBehaviour {
  expiresAt: ExpiresAtFormat
  /** Seconds the said expiry is later than the token's own. */
  expiresAtOffBySeconds: number
  /** Wants this key as a bearer. */
  key?: string
}

/**
 * The token service of lib/brokers/upstox/README.md. Each account has a source of approved tokens, which is the
 * simulated broker in most tests, and a script for everything that goes wrong.
 */
export class TokenServiceSimulator implements Simulator {
  readonly id = 'token-service'
  readonly hosts = ['TOKEN_SERVICE']
  readonly app = new Hono<SimulatorEnv>()
  readonly behaviour: TokenServiceBehaviour = { expiresAt: 'iso', expiresAtOffBySeconds: 0 }

  readonly #clock: Clock
  readonly #sources: Readonly<Record<string, () => string>>
  readonly #scripts = new Map<string, Script>()
  readonly #current = new Map<string, string>()

  /** `sources` gives a newly approved token for each account; `basePath` is a prefix such as `/auth`. */
  constructor(clock: Clock, sources: Readonly<Record<string, () => string>>, basePath = '') {
    this.#clock = clock
    this.#sources = sources
    this.app.get(`${basePath}/accounts/:id/token`, ({ req }) =>
      this.#answer(req.param('id'), 'token', req.header('authorization')),
    )
    this.app.post(`${basePath}/accounts/:id/refresh`, ({ req }) =>
      this.#answer(req.param('id'), 'refresh', req.header('authorization')),
    )
  }

  /** Sets what an account's routes answer from now on; a route left out goes back to normal. */
  script(account: string, script: Partial<Script>): void {
    this.#scripts.set(account, { token: script.token ?? ['current'], refresh: script.refresh ?? ['fresh'] })
  }

  /** The token the service holds for an account, approved now if there is none. */
  currentOf(account: string): string {
    return this.#current.get(account) ?? this.approve(account)
  }

  /** Somebody approves at the broker: the service holds a new token. */
  approve(account: string): string {
    const token = this.#sources[account]?.()
    if (token === undefined) throw new Error(`the simulated token service has no account ${account}`)
    this.#current.set(account, token)
    return token
  }

  #answer(account: string, route: keyof Script, authorization: string | undefined): Response {
    const { key } = this.behaviour
    if (key !== undefined && authorization !== `Bearer ${key}`) return status(401)
    if (!Object.hasOwn(this.#sources, account)) return status(404)
    const answers = this.#scripts.get(account)?.[route] ?? []
    const next = answers.length > 1 ? answers.shift() : answers[0]
    return this.#reply(account, next ?? (route === 'token' ? 'current' : 'fresh'))
  }

  #reply(account: string, answer: ScriptedAnswer): Response {
    switch (answer) {
      case 'current':
        return this.#token(account, this.currentOf(account))
      case 'fresh':
        return this.#token(account, this.approve(account))
      case 'expired':
        return this.#token(account, this.#expired(account))
      case 'without_token':
        return Response.json({ account_id: account, token_type: 'Bearer' })
      case 'empty_token':
        return this.#token(account, '')
      case 'error_text_as_token':
        return this.#token(account, 'Error: no session for this account')
      case 'html':
        return html(200)
    }
    if ('tokenOf' in answer) return this.#token(account, this.currentOf(answer.tokenOf))
    if ('token' in answer) return this.#token(account, answer.token)
    return answer.status === 502 ? html(502) : status(answer.status, answer.retryAfterSeconds)
  }

  #expired(account: string): string {
    const issuedAt = this.#clock.now().subtract({ hours: 20 })
    const claims = jsonwebtoken.decode(this.currentOf(account))
    const subject = typeof claims === 'object' ? claims?.sub : undefined
    return simulatedJwt({ sub: subject }, { issuedAt, expiresAt: this.#clock.now().subtract({ minutes: 1 }) })
  }

  #token(account: string, accessToken: string): Response {
    const expiresAt = this.#expiresAt(accessToken)
    return Response.json({
      account_id: account,
      access_token: accessToken,
      ...(expiresAt !== undefined && { expires_at: expiresAt }),
      token_type: 'Bearer',
      // Fields nobody asked for must not matter.
      region: 'sim-1',
    })
  }

  #expiresAt(accessToken: string): string | number | undefined {
    const { expiresAt: format, expiresAtOffBySeconds } = this.behaviour
    const claims = jsonwebtoken.decode(accessToken)
    const exp = typeof claims === 'object' ? claims?.exp : undefined
    if (exp === undefined) return undefined
    const seconds = exp + expiresAtOffBySeconds
    const local = Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toZonedDateTimeISO(ZONE)
    switch (format) {
      case 'iso':
        return local.toString({ timeZoneName: 'never' })
      case 'iso_naive':
        return local.toPlainDateTime().toString()
      case 'epoch_seconds':
        return seconds
      case 'epoch_milliseconds':
        return seconds * 1000
      case 'epoch_seconds_text':
        return String(seconds)
      case 'epoch_milliseconds_text':
        return String(seconds * 1000)
      case 'absent':
        return undefined
    }
  }
}

function status(code: number, retryAfterSeconds?: number): Response {
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  return Response.json({ detail: 'simulated' }, { status: code, headers })
}

function html(code: number): Response {
  const body = '<html><body>Bad Gateway</body></html>'
  return new Response(body, { status: code, headers: { 'content-type': 'text/html' } })
}
