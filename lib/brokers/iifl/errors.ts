import {
  AmbiguousError,
  BrokerUnavailableError,
  ClientRejectedError,
  GrantRejectedError,
  HumanActionError,
  RateLimitedError,
  type TokenkeeperError,
  UnexpectedResponseError,
  WAIT_FOR_RUN,
  WAIT_OUT,
} from '../../model/errors.ts'
import { type BrokerReply, badField, errorByStatus, type Spends } from '../shared/call.ts'
import { IIFL_DEAD_TOKEN_CODES } from './dead-token.ts'
import type { Failure } from './reply.ts'

export const IIFL = 'IIFL'

/** The step of the login, or the call after it: the same code means different things at different steps. */
export type Step = 'keys' | 'password' | 'totp' | 'authorize' | 'session' | 'profile'

/** What a step uses up once IIFL has seen it (README, Errors, the row on 5xx). */
export const SPENDS: Readonly<Record<Step, Spends>> = {
  keys: 'nothing',
  password: 'attempt',
  totp: 'attempt',
  authorize: 'attempt',
  session: 'attempt',
  profile: 'nothing',
}

export const ILLEGAL_KEY = 'EC062'
/**
 * OTP expired, invalid OTP, invalid TOTP: after each of them the code of the next time step is tried once.
 */
export const TOTP_REFUSED: readonly string[] = ['EC024', 'EC025', 'EC036']

// Error codes by what they mean for us (README, Errors).
const PASSING_CODES: readonly string[] = ['EC003', 'EC923', 'EC924', 'EC940', ILLEGAL_KEY]
const WRONG_SECRET_CODES: readonly string[] = ['EC002', 'EC016', 'EC030']
const PASSWORD_EXPIRED = 'EC069'
const THROTTLE_SECONDS: Readonly<Record<string, number>> = { EC018: 60, EC019: 900, EC052: 900, EC080: 900 }

const SETUP = 'tokenkeeper setup {account}'

/** The user is locked; a try with a wrong password would prolong that. */
const LOCKED_CODES: readonly string[] = ['EC004', 'EC014', 'EC020']
/** What only the account's holder can put right at IIFL. */
const ACCOUNT_FIXES: Readonly<Record<string, string>> = {
  EC055: 'log in at IIFL in the browser and press Authorize once',
  ...fixFor('have IIFL reactivate the trading account', ['EC076', 'EC081', 'EC703', 'EC704', 'EC705']),
}

/** What the operator can put right, here or in IIFL's app settings. */
const CLIENT_FIXES: Readonly<Record<string, string>> = {
  ...fixFor(
    `a stored credential is empty or malformed: ${SETUP}`,
    // biome-ignore format: one row of the table, in its order
    [1, 5, 8, 9, 10, 17, 21, 22, 28, 33, 34, 38, 39, 40, 41, 46, 47, 48, 49, 50, 53, 56, 57, 63].map(ecCode),
  ),
  ...fixFor(`store the client code as user_id: ${SETUP}`, [11, 12, 13, 64, 65, 66].map(ecCode)),
  ...fixFor(`switch TOTP on for this user at IIFL, then store its secret: ${SETUP}`, ['EC035', 'EC043']),
  EC054: `check client_id, the app key: ${SETUP}`,
  ...fixFor(
    'report it: IIFL no longer accepts how this login names its device',
    [58, 59, 60, 61].map(ecCode),
  ),
}

/**
 * The error for a reply of IIFL that is no success. Codes decide before the status, which IIFL does not
 * document (README, Errors). `failure` is absent where the body names none.
 */
export function iiflError(step: Step, reply: BrokerReply, failure: Failure | undefined): TokenkeeperError {
  const known = failure?.code !== undefined ? errorOfCode(step, failure.code) : undefined
  if (known) return known
  const details = { ...(failure?.code !== undefined && { brokerCode: failure.code }) }
  if (reply.status === 401 && step !== 'keys' && step !== 'password') return deadToken(step, details)
  if (reply.status >= 300 && reply.status < 400) return errorByStatus(IIFL, reply, SPENDS[step])
  if (reply.status >= 500 || reply.bodyKind !== 'json') return errorByStatus(IIFL, reply, SPENDS[step])
  if (step === 'password' || step === 'totp') {
    // lib/brokers/README.md, Errors, rule 5: a refused password or code with an unknown reason is not sent
    // again.
    return new HumanActionError(`IIFL refused the ${step} step for an unknown reason`, {
      ...details,
      problem: 'wrong_secret',
      suspects: [step === 'password' ? 'password' : 'totp_secret'],
      fix: `log in once in the browser to see why, then store what was wrong: ${SETUP}`,
    })
  }
  if (step === 'authorize' || step === 'session') return sessionRefused(details)
  // By a Not_Ok without a code IIFL asks for a new login; an unknown code says nothing about the token.
  if (step === 'profile' && failure && failure.code === undefined) return deadToken(step, details)
  return new UnexpectedResponseError(`IIFL answered the ${step} step in an unknown way`, {
    ...details,
    status: reply.status,
    fix: 'report it: the broker may have changed its replies',
  })
}

/** The error for a success that lacks what was asked for. */
export function missing(reply: BrokerReply, field: string): UnexpectedResponseError {
  return badField(IIFL, reply, field)
}

function errorOfCode(step: Step, code: string): TokenkeeperError | undefined {
  const details = { brokerCode: code }
  if (WRONG_SECRET_CODES.includes(code)) {
    const fix = `store the right user_id and password: ${SETUP}`
    return new HumanActionError('IIFL refused the user id or its password', {
      ...details,
      problem: 'wrong_secret',
      suspects: ['user_id', 'password'],
      fix,
    })
  }
  if (code === PASSWORD_EXPIRED) {
    const fix = `set a new password at IIFL and store it: ${SETUP}`
    return new HumanActionError('the IIFL password has expired', {
      ...details,
      problem: 'wrong_secret',
      suspects: ['password'],
      fix,
    })
  }
  if (TOTP_REFUSED.includes(code)) {
    const fix = `check the clock of this machine and the stored totp_secret: ${SETUP}; else it is tried again tomorrow`
    return new HumanActionError('IIFL refused the one-time code', {
      ...details,
      problem: 'one_time_code',
      suspects: ['totp_secret'],
      fix,
    })
  }
  if (LOCKED_CODES.includes(code)) {
    const fix = `have IIFL unblock the user, make sure that the stored password is right, then run tokenkeeper refresh {account} --force`
    return new HumanActionError('IIFL has blocked this user', { ...details, problem: 'locked', fix })
  }
  const accountFix = ACCOUNT_FIXES[code]
  if (accountFix !== undefined) {
    const what = 'IIFL lets this user in only after its holder has acted'
    return new HumanActionError(what, { ...details, problem: 'account', fix: accountFix })
  }
  const seconds = THROTTLE_SECONDS[code]
  if (seconds !== undefined) {
    const what = `IIFL takes no one-time codes for ${seconds} s`
    return new RateLimitedError(what, { ...details, retryAfterSeconds: seconds, fix: WAIT_OUT })
  }
  if (IIFL_DEAD_TOKEN_CODES.includes(code)) return deadToken(step, details)
  if (PASSING_CODES.includes(code)) {
    // The auth code may be used up, and only a new login gives another (README, Errors).
    if (step === 'session')
      return spent('IIFL had a passing fault and the auth code counts as spent', details)
    return new BrokerUnavailableError('IIFL had a passing fault', { ...details, fix: WAIT_FOR_RUN })
  }
  const clientFix = CLIENT_FIXES[code]
  if (clientFix === undefined) return undefined
  // It is not known which code a wrong checksum gets, so at this step all of them are the same refusal.
  if (step === 'session') return sessionRefused(details)
  return new ClientRejectedError('IIFL refuses the credentials of this app or user', {
    ...details,
    fix: clientFix,
  })
}

type Details = { readonly brokerCode?: string }

/**
 * The refusal of the session call. A wrong checksum and a spent code cannot be told apart (README,
 * Uncertain).
 */
function sessionRefused(details: Details): GrantRejectedError {
  const fix = `check client_secret, the app secret: ${SETUP}; or log in at IIFL`
  const suspects = ['client_secret'] as const
  return new GrantRejectedError('IIFL gave no session for this login', { ...details, suspects, fix })
}

/**
 * The error for a refused token: at a profile call the session, in the middle of a login the token of the
 * step before.
 */
function deadToken(step: Step, details: Details): TokenkeeperError {
  if (step === 'session') return sessionRefused(details)
  if (step === 'totp' || step === 'authorize') return spent('IIFL dropped this login half-way', details)
  return new GrantRejectedError('IIFL says the token is dead', { ...details, fix: `log in at IIFL` })
}

/** AmbiguousError, since this run must not repeat the login, and a later one may, within the login budget. */
function spent(what: string, details: Details): AmbiguousError {
  return new AmbiguousError(what, {
    ...details,
    fix: 'wait for the next run: it starts the login again where that is safe',
  })
}

function fixFor(fix: string, codes: readonly string[]): Record<string, string> {
  return Object.fromEntries(codes.map((code) => [code, fix]))
}

function ecCode(number: number): string {
  return `EC${String(number).padStart(3, '0')}`
}
