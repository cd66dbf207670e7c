import { TOTP } from 'otpauth'
import type { Clock } from '../../../lib/ports/clock.ts'
import { type Http, HttpError, type HttpReply, type HttpRequest } from '../../../lib/ports/http.ts'

export const USER = 'SIM001'
export const STRANGER = 'SIM999'
/** Wrong passwords after which the broker locks the account. */
const WRONGS_UNTIL_LOCKED = 3
const ACCESS_TOKEN_LIFE_S = 12 * 3600
const STEP_S = 30
/** A request, or a reply, is on its way for as long. */
const TRAVEL_MS = 40

/** What becomes of a request or of its reply. */
export type Fault =
  /** It never arrived, and we cannot know that. */
  | 'lost_request'
  /** It was served, and the reply was lost. */
  | 'lost_reply'
  /** There was no connection to send it over. */
  | 'unsent'
  | 'fault_before'
  | 'fault_after'
  | 'throttled'
  /** The credential dies just before it arrives. */
  | 'refused'

interface Family {
  readonly user: string
  current: string
  revoked: boolean
}

/**
 * A broker at its strictest. One session: each new access token, however it was got, ends the older one. A refresh
 * token works once; when a spent one comes back everything dies. Wrong passwords are counted, and neither a one-time code,
 * an authorization code nor an approval works twice.
 */
export class OneSessionSimulator implements Http {
  /** Spent refresh tokens that came back. */
  reuses = 0
  codeReuses = 0
  stepReuses = 0
  wrongPasswords = 0
  logins = 0
  /** What was answered as proven: token by token. */
  readonly proven = new Set<string>()
  /** Every secret it has ever given. */
  readonly issued = new Set<string>()
  /** The exchange of a code names the user, and brings a refresh token. */
  namesUser = true
  givesRefreshToken = true
  password = 'SIMULATED-password'
  upstreamRefuses = false
  readonly staticRefreshToken: string
  readonly totpSecret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
  #staticRevoked = false
  readonly #clock: Clock
  readonly #faults: { path: string; fault: Fault }[] = []
  readonly #families: Family[] = []
  readonly #spent = new Map<string, Family>()
  readonly #codes = new Map<string, { readonly user: string; spent: boolean; expired: boolean }>()
  readonly #usedSteps = new Set<number>()
  readonly #dormant = new Set<string>()
  readonly #owners = new Map<string, string>()
  /** The one session of each user. */
  readonly #sessions = new Map<string, { readonly token: string; readonly endsAt: number }>()
  /** When the requests for approval close that nobody has answered: a later one takes none of them back. */
  #approvalsUntil: readonly number[] = []
  #count = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.staticRefreshToken = this.#secret('static-refresh')
  }

  /** Whether a call with this access token would be served now. */
  isLive(token: string | undefined): boolean {
    const session = this.#sessions.get(this.ownerOf(token ?? '') ?? '')
    return session !== undefined && session.token === token && session.endsAt > this.#now
  }

  /** Whether this refresh token would be served now. */
  accepts(refreshToken: string | undefined): boolean {
    if (refreshToken === this.staticRefreshToken) return !this.#staticRevoked
    return this.#families.some(({ current, revoked }) => current === refreshToken && !revoked)
  }

  /** Whose access or refresh token it is. */
  ownerOf(token: string): string | undefined {
    return this.#owners.get(token)
  }

  get isLocked(): boolean {
    return this.wrongPasswords >= WRONGS_UNTIL_LOCKED
  }

  /** The refresh token of a new login. */
  newFamily(user = USER): string {
    const family = { user, current: this.#tokenOf(user, 'refresh'), revoked: false }
    this.#families.push(family)
    return family.current
  }

  revokeRefreshTokens(): void {
    this.#staticRevoked = true
    for (const family of this.#families) family.revoked = true
  }

  /** A token got in another place: its session begins with its first use. */
  tokenFromElsewhere(user = USER): string {
    const token = this.#tokenOf(user, 'access')
    this.#dormant.add(token)
    return token
  }

  newCode(user = USER): string {
    const code = this.#secret('code')
    this.#codes.set(code, { user, spent: false, expired: false })
    return code
  }

  get isAskedToApprove(): boolean {
    return this.#approvalsUntil.some((until) => until > this.#now)
  }

  /** The holder approves one of the requests: what the broker posts, once. */
  approve(): Record<string, unknown> {
    if (!this.isAskedToApprove) throw new Error('there is nothing to approve')
    const [, ...others] = this.#approvalsUntil.filter((until) => until > this.#now)
    this.#approvalsUntil = others
    const issued = this.#clock.now()
    return {
      app: 'SIM-APP',
      user: USER,
      token: this.#mint(USER),
      issued: issued.toString(),
      expires: issued.add({ seconds: ACCESS_TOKEN_LIFE_S }).toString(),
    }
  }

  /** What becomes of the next requests to a path, one each. */
  failNext(path: string, ...faults: Fault[]): void {
    for (const fault of faults) this.#faults.push({ path, fault })
  }

  /** The broker works again. */
  mend(): void {
    this.#faults.length = 0
  }

  async send(request: HttpRequest): Promise<HttpReply> {
    await this.#clock.sleep(TRAVEL_MS)
    const path = new URL(request.url).pathname
    const index = this.#faults.findIndex((one) => one.path === path)
    const fault = index < 0 ? undefined : this.#faults.splice(index, 1)[0]?.fault
    switch (fault) {
      case 'unsent':
        throw new HttpError('ECONNREFUSED', { sent: false })
      case 'lost_request':
        throw new HttpError('TIMEOUT', { sent: true })
      case 'fault_before':
        return reply(502, undefined)
      case 'throttled':
        return reply(429, {}, { 'retry-after': '120' })
      case 'refused':
        this.#killCredentials()
    }
    const served = this.#serve(path, request)
    await this.#clock.sleep(TRAVEL_MS)
    if (fault === 'lost_reply') throw new HttpError('TIMEOUT', { sent: true })
    return fault === 'fault_after' ? reply(502, undefined) : served
  }

  #serve(path: string, request: HttpRequest): HttpReply {
    const form = new URLSearchParams(request.body)
    switch (path) {
      case '/token':
        return this.#refresh(form.get('refresh_token') ?? '')
      case '/login':
        return this.#login(form.get('password') ?? '', form.get('totp') ?? '')
      case '/upstream':
        return this.upstreamRefuses ? reply(400, { error: 'no_session' }) : this.#tokens()
      case '/exchange':
        return this.#exchange(form.get('code') ?? '')
      case '/approval':
        this.#approvalsUntil = [...this.#approvalsUntil, this.#now + 3600_000]
        return reply(200, { until: this.#clock.now().add({ hours: 1 }).toString() })
      case '/me':
        return this.#me(request.headers?.['authorization']?.slice('Bearer '.length) ?? '')
      default:
        return reply(404, {})
    }
  }

  #refresh(presented: string): HttpReply {
    if (presented === this.staticRefreshToken && !this.#staticRevoked) return this.#tokens()
    const reused = this.#spent.get(presented)
    if (reused) {
      this.reuses += 1
      reused.revoked = true
      this.#sessions.clear()
    }
    const family = this.#families.find(({ current, revoked }) => current === presented && !revoked)
    if (!family) return reply(400, { error: 'invalid_grant' })
    this.#spent.set(presented, family)
    family.current = this.#tokenOf(family.user, 'refresh')
    return this.#tokens({ refresh_token: family.current }, family.user)
  }

  #login(password: string, code: string): HttpReply {
    this.logins += 1
    if (this.isLocked) return reply(403, { error: 'locked' })
    if (password !== this.password) {
      this.wrongPasswords += 1
      return reply(401, { error: 'wrong_password' })
    }
    const now = Math.floor(this.#now / 1000 / STEP_S)
    const totp = new TOTP({ secret: this.totpSecret })
    const step = [now - 1, now, now + 1].find(
      (one) => totp.generate({ timestamp: one * STEP_S * 1000 }) === code,
    )
    if (step === undefined) return reply(401, { error: 'wrong_code' })
    if (this.#usedSteps.has(step)) {
      this.stepReuses += 1
      return reply(401, { error: 'wrong_code' })
    }
    this.#usedSteps.add(step)
    return this.#tokens()
  }

  #exchange(presented: string): HttpReply {
    const code = this.#codes.get(presented)
    if (code?.spent) this.codeReuses += 1
    if (!code || code.spent || code.expired) return reply(400, { error: 'invalid_grant' })
    code.spent = true
    const { user } = code
    const more = {
      ...(this.givesRefreshToken && { refresh_token: this.newFamily(user) }),
      ...(this.namesUser && { user }),
    }
    return this.#tokens(more, user)
  }

  #me(token: string): HttpReply {
    if (this.#dormant.delete(token)) this.#begin(token)
    if (!this.isLive(token)) return reply(401, { error: 'invalid_token' })
    this.proven.add(token)
    return reply(200, { user: this.#owners.get(token) })
  }

  #tokens(more: Readonly<Record<string, unknown>> = {}, user = USER): HttpReply {
    return reply(200, { access_token: this.#mint(user), expires_in: ACCESS_TOKEN_LIFE_S, ...more })
  }

  #mint(user: string): string {
    const token = this.#tokenOf(user, 'access')
    this.#begin(token)
    return token
  }

  /** The session of this token, in place of any other. */
  #begin(token: string): void {
    const endsAt = this.#now + ACCESS_TOKEN_LIFE_S * 1000
    this.#sessions.set(this.ownerOf(token) ?? '', { token, endsAt })
  }

  #killCredentials(): void {
    this.revokeRefreshTokens()
    for (const code of this.#codes.values()) code.expired = true
    this.upstreamRefuses = true
    this.password = 'SIMULATED-new-password'
  }

  get #now(): number {
    return this.#clock.now().epochMilliseconds
  }

  #tokenOf(user: string, kind: string): string {
    const token = this.#secret(kind)
    this.#owners.set(token, user)
    return token
  }

  #secret(kind: string): string {
    this.#count += 1
    const secret = `SIMULATED-${kind}-${String(this.#count).padStart(4, '0')}-value`
    this.issued.add(secret)
    return secret
  }
}

function reply(status: number, json: unknown, headers: Record<string, string> = {}): HttpReply {
  return { status, headers, body: json === undefined ? '<html>' : JSON.stringify(json) }
}
