import { Secret as OtpSecret, TOTP } from 'otpauth'
import type { Temporal } from 'temporal-polyfill'
import type { Clock } from '../../ports/clock.ts'
import { simulatedJwt } from '../kit/simulated-token.ts'
import type { IiflBehaviour, IiflUser } from './behaviour.ts'

const TOTP_STEP_S = 30
const CODE_LOCK_MIN = 15

/** The code IIFL refuses with. */
type Refusal = { readonly refused: string }
/** The token for the next step. */
type Passed = { readonly token: string; readonly user: IiflUser }
export type LoginVerdict = Refusal | Passed

interface StepToken {
  readonly user: IiflUser
  readonly after: 'password' | 'totp'
  readonly issuedAt: Temporal.Instant
}

/** Who is at which step of a login, and who is locked out. */
export class IiflLoginEndpoint {
  /** Passwords that could be read, in order: what a lock-out counts. */
  readonly passwords: { readonly clientId: string; readonly right: boolean }[] = []
  /** One-time codes that were looked at, with the 30-second step of their arrival. */
  readonly codes: {
    readonly clientId: string
    readonly code: unknown
    readonly step: number
    readonly right: boolean
  }[] = []

  readonly #clock: Clock
  readonly #users: ReadonlyMap<string, IiflUser>
  readonly #behaviour: IiflBehaviour
  readonly #tokens = new Map<string, StepToken>()
  readonly #wrongPasswords = new Map<string, number>()
  readonly #wrongCodes = new Map<string, number>()
  readonly #codesLockedUntil = new Map<string, Temporal.Instant>()
  readonly #usedStep = new Map<string, number>()
  readonly #loginStartedAt = new Map<string, Temporal.Instant>()

  constructor(clock: Clock, users: ReadonlyMap<string, IiflUser>, behaviour: IiflBehaviour) {
    this.#clock = clock
    this.#users = users
    this.#behaviour = behaviour
  }

  password(clientId: unknown, password: unknown): LoginVerdict {
    const user = this.#users.get(String(clientId).toUpperCase())
    if (!user) return { refused: 'EC002' }
    if (typeof password !== 'string' || password === '') return { refused: 'EC005' }
    if (password.includes(' ')) return { refused: 'EC063' }
    const id = user.clientId
    const right = password === user.password
    this.passwords.push({ clientId: id, right })
    const wrong = this.#wrongPasswords.get(id) ?? 0
    if (wrong >= this.#behaviour.lockAfterPasswords) return { refused: 'EC004' }
    if (!right) {
      this.#wrongPasswords.set(id, wrong + 1)
      return { refused: 'EC016' }
    }
    this.#wrongPasswords.delete(id)
    if (this.#isYounger(this.#loginStartedAt.get(id), this.#behaviour.codeGapSeconds))
      return { refused: 'EC018' }
    this.#loginStartedAt.set(id, this.#clock.now())
    return { token: this.#tokenFor(user, 'password'), user }
  }

  /** Accepts the code of the present step once. A code is text: one that lost its leading zero is wrong. */
  totp(bearer: string | undefined, clientId: unknown, code: unknown): LoginVerdict {
    const user = this.holder(bearer, 'password')
    if (!user) return { refused: 'EC044' }
    if (user !== this.#users.get(String(clientId).toUpperCase())) return { refused: 'EC030' }
    const id = user.clientId
    const now = this.#clock.now()
    const lockedUntil = this.#codesLockedUntil.get(id)
    if (lockedUntil && lockedUntil.epochMilliseconds > now.epochMilliseconds) return { refused: 'EC080' }
    const step = Math.floor(now.epochMilliseconds / 1000 / TOTP_STEP_S)
    const generator = new TOTP({
      secret: OtpSecret.fromBase32(user.totpSecret),
      digits: 6,
      period: TOTP_STEP_S,
    })
    const expected = generator.generate({ timestamp: now.epochMilliseconds })
    const right = code === expected && step > (this.#usedStep.get(id) ?? -1)
    this.codes.push({ clientId: id, code, step, right })
    if (right) {
      this.#usedStep.set(id, step)
      this.#wrongCodes.delete(id)
      return { token: this.#tokenFor(user, 'totp'), user }
    }
    const wrong = (this.#wrongCodes.get(id) ?? 0) + 1
    this.#wrongCodes.set(id, wrong)
    if (wrong < this.#behaviour.lockAfterCodes) return { refused: 'EC036' }
    this.#wrongCodes.delete(id)
    this.#codesLockedUntil.set(id, now.add({ minutes: CODE_LOCK_MIN }))
    return { refused: 'EC080' }
  }

  /** Whose step token it is, if it is one of that step and still good. */
  holder(bearer: string | undefined, after: StepToken['after']): IiflUser | undefined {
    const token = this.#tokens.get(bearer ?? '')
    if (token?.after !== after) return undefined
    return this.#isYounger(token.issuedAt, this.#behaviour.stepTokenLifeSeconds) ? token.user : undefined
  }

  #tokenFor(user: IiflUser, after: StepToken['after']): string {
    const issuedAt = this.#clock.now()
    const token = simulatedJwt({ sub: user.clientId, after }, { issuedAt })
    this.#tokens.set(token, { user, after, issuedAt })
    return token
  }

  #isYounger(instant: Temporal.Instant | undefined, seconds: number): boolean {
    return instant !== undefined && instant.until(this.#clock.now()).total('seconds') < seconds
  }
}
