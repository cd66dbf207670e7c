import * as z from 'zod/mini'
import {
  BrokerUnavailableError,
  ClientRejectedError,
  GrantRejectedError,
  HumanActionError,
  RateLimitedError,
  type TokenkeeperError,
  WAIT_FOR_RUN,
  WAIT_OUT,
} from '../../model/errors.ts'
import { nextClock } from '../../model/expiry/session-model.ts'
import { type BrokerReply, errorByStatus, noUsableReply } from '../shared/call.ts'

export const UPSTOX = 'Upstox'

/** Seconds to wait after a 429, which has no Retry-After (README, Errors). */
const UPSTOX_RATE_LIMIT_BACKOFF_S = 60
/** When the service opens: funds and orders are closed from 00:00 (README, Errors). */
const SERVICE_OPENS = { at: '05:30', timeZone: 'Asia/Kolkata', day: 'first' } as const

const DEAD_TOKEN = 'UDAPI100050'
/** At the token endpoint a spent or wrong code; elsewhere it has meant "market closed" (README, Errors). */
const DEAD_CODE = 'UDAPI100057'
const ACCOUNT_INACTIVE = 'UDAPI100058'
const TOO_MANY = 'UDAPI10005'
const PASSING_FAULT = 'UDAPI100500'
const OUTSIDE_SERVICE_HOURS: readonly string[] = ['UDAPI100072', 'UDAPI100074']

const CHECK_APP = 'check API key and secret against the app at Upstox: tokenkeeper setup {account}'
const CHECK_REDIRECT =
  "make the redirect URI equal to the app's, to the character: tokenkeeper setup {account}"
const REPORT = 'report it: Upstox may have changed its contract; the stored token was kept'

/** What the operator does about each code of class "configuration" (README, Errors). */
const OPERATOR_FIXES: Readonly<Record<string, string>> = {
  UDAPI100016: CHECK_APP,
  UDAPI100068: CHECK_REDIRECT,
  UDAPI100069: CHECK_APP,
  UDAPI100070: CHECK_REDIRECT,
  UDAPI100073: 'ask Upstox support why the app is inactive',
  UDAPI1017: CHECK_APP,
  UDAPI1018: CHECK_REDIRECT,
  UDAPI1022: REPORT,
  UDAPI1023: REPORT,
  UDAPI1024: CHECK_APP,
  UDAPI100067: 'store an ordinary access token; an extended one may not do this',
  UDAPI100015: REPORT,
  UDAPI100036: REPORT,
  UDAPI100038: REPORT,
  UDAPI100060: 'check the Upstox host in the configuration',
  UDAPI1154: 'register the address our calls come from at Upstox',
  // Listed without a meaning: the code is shown and the token is left alone (README, Errors).
  UDAPI100099: REPORT,
}

/** Upstox sends both spellings of the field; camelCase is deprecated (README, Errors). */
const ErrorReply = z.object({
  errors: z.array(z.object({ error_code: z.nullish(z.string()), errorCode: z.nullish(z.string()) })),
})

/**
 * The error for a reply that is no success. The code decides and not the status, which the docs leave open
 * for several codes (README, Errors). An `exchange` has spent its authorization code whatever was replied; an
 * `approval` request without a readable reply may have reached the person.
 */
export function upstoxError(reply: BrokerReply, during: 'read' | 'exchange' | 'approval'): TokenkeeperError {
  const code = upstoxErrorCode(reply)
  if (code === undefined) return errorWithoutCode(reply, during)
  const details = { brokerCode: code }
  if (code === TOO_MANY || OUTSIDE_SERVICE_HOURS.includes(code)) {
    const what = code === TOO_MANY ? 'Upstox throttles us' : 'Upstox is outside its service hours'
    const retryAfterSeconds = code === TOO_MANY ? UPSTOX_RATE_LIMIT_BACKOFF_S : secondsUntilOpening(reply)
    return new RateLimitedError(what, {
      ...details,
      retryAfterSeconds,
      fix: WAIT_OUT,
    })
  }
  if (code === ACCOUNT_INACTIVE) {
    const fix = 'the account holder reactivates a segment at Upstox'
    return new HumanActionError('Upstox finds no active segment', { ...details, problem: 'account', fix })
  }
  const operatorFix = OPERATOR_FIXES[code]
  if (operatorFix !== undefined) {
    return new ClientRejectedError('Upstox refuses the app or its request', { ...details, fix: operatorFix })
  }
  if (during === 'exchange')
    return spentCode(code === PASSING_FAULT ? "the broker's reply was lost" : 'Upstox refused it', code)
  // A server fault does not tell whether the person was asked (README, Approval).
  if (during === 'approval' && (code === PASSING_FAULT || reply.status >= 500)) {
    return noUsableReply(UPSTOX, 'attempt', code)
  }
  // A request for approval contains no token, so none can be dead.
  if (code === DEAD_TOKEN && during === 'approval') {
    return new ClientRejectedError('Upstox refuses the request for approval', { ...details, fix: REPORT })
  }
  if (code === DEAD_TOKEN) {
    return new GrantRejectedError('Upstox says the token is dead', {
      ...details,
      fix: 'log in at Upstox',
    })
  }
  if (code === PASSING_FAULT || code === DEAD_CODE) {
    return new BrokerUnavailableError('Upstox reports a passing fault', {
      ...details,
      fix: WAIT_FOR_RUN,
    })
  }
  return new ClientRejectedError('Upstox answered with an unknown error code', { ...details, fix: REPORT })
}

/** The code that a body names, under any HTTP status; `undefined` where it names none. */
export function upstoxErrorCode(reply: BrokerReply): string | undefined {
  const errors = ErrorReply.safeParse(reply.json).data?.errors ?? []
  return errors.flatMap(({ error_code, errorCode }) => error_code ?? errorCode ?? [])[0]
}

function errorWithoutCode(reply: BrokerReply, during: 'read' | 'exchange' | 'approval'): TokenkeeperError {
  // Upstox' edge blocks clients by their signature and answers with HTML (README, Endpoints).
  if (reply.status === 403 && reply.bodyKind === 'html') {
    return new ClientRejectedError("Upstox' edge blocks this client", {
      brokerCode: '403',
      fix: 'check that the User-Agent reaches Upstox unchanged and that its edge does not block our address',
    })
  }
  return during === 'exchange'
    ? spentCode("the broker's reply was lost")
    : errorByStatus(UPSTOX, reply, during === 'approval' ? 'attempt' : 'nothing')
}

function spentCode(why: string, brokerCode?: string): GrantRejectedError {
  return new GrantRejectedError(`the authorization code is spent: ${why}`, {
    ...(brokerCode !== undefined && { brokerCode }),
    fix: 'log in at Upstox again',
  })
}

function secondsUntilOpening({ sentAt }: BrokerReply): number {
  return Math.ceil(sentAt.until(nextClock(SERVICE_OPENS, sentAt)).total('seconds'))
}
