import type { PdfBehaviour } from './invoices.ts'

export interface SimulatedPosUser {
  readonly id: number
  readonly name: string
  readonly email: string
  readonly password: string
  readonly vendorId: string
}

/** What can differ or go wrong; tests set it, the newcomer's tour leaves it alone. */
export interface PosBehaviour {
  /** Which of the three reply shapes a login has. */
  shape: 'token' | 'access_token' | 'data'
  /** How a login tells the expiry; `null` and `absent` tokens never die by the clock. */
  expiry: 'expires_at' | 'token_expiry' | 'expires_in' | 'null' | 'absent'
  /** The zone of a `token_expiry`, which has no offset. */
  timeZone: string
  tokenLifeSeconds: number
  /** How a wrong password is told. */
  wrongPassword: 401 | 422
  /** A login ends the user's older tokens. */
  deletesOlderTokens: boolean
  /** Answers so many authenticated calls with 401; Infinity for always. */
  refusals: number
  /** Logins of unverified users end in 403. */
  unverified: boolean
  /** Every login is answered with this user's token: the wrong-account test. */
  loginAs?: string
  userUnderData: boolean
  pdf: PdfBehaviour
  /** How far this backend's clock is ahead of the others', in minutes. */
  clockSkewMinutes: number
}

export interface PosOptions {
  /** A path before all routes, as behind a shared proxy. */
  readonly prefix?: string
  readonly loginPath?: string
  /** A dedicated refresh route, which Laravel does not bring. */
  readonly refreshPath?: string
}

/** A backend as Laravel sets one up. */
export function usualBehaviour(): PosBehaviour {
  return {
    shape: 'token',
    expiry: 'expires_at',
    timeZone: 'UTC',
    tokenLifeSeconds: 86_400,
    wrongPassword: 422,
    deletesOlderTokens: false,
    refusals: 0,
    unverified: false,
    userUnderData: false,
    pdf: 'pdf',
    clockSkewMinutes: 0,
  }
}
