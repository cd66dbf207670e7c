import * as z from 'zod/mini'
import {
  ClientRejectedError,
  GrantRejectedError,
  RateLimitedError,
  type TokenkeeperError,
  UnexpectedResponseError,
  WAIT_OUT,
} from '../../model/errors.ts'
import { type BrokerReply, errorByStatus, type Spends } from '../shared/call.ts'
import { FYERS_DEAD_TOKEN_CODES } from './dead-token.ts'

export const FYERS = 'FYERS'

/** An edge block by Cloudflare comes as HTML and lasts about ten minutes (README, Limits). */
export const FYERS_EDGE_BLOCK_S = 600

// Error codes by what they mean for us (README, Errors).
/** The only code that names the refresh token, so the PIN was right. */
const REFRESH_TOKEN_REFUSED = -501
const DEAD_CODES: readonly unknown[] = [...FYERS_DEAD_TOKEN_CODES, -437, REFRESH_TOKEN_REFUSED]
const CHECK_APP = 'check app id (with its suffix) and app secret: tokenkeeper setup {account}'
const REFUSES_REQUEST = {
  what: 'FYERS refuses our request',
  fix: 'report it: FYERS may have changed its contract; what is stored was kept',
}
/** What FYERS objects to about the app, and what the operator does about it. */
const APP_REFUSALS: Readonly<Record<number, { readonly what: string; readonly fix: string }>> = {
  [-371]: { what: 'FYERS refuses the hash of app id and secret: one of them is wrong', fix: CHECK_APP },
  [-352]: { what: 'FYERS does not know this app id', fix: CHECK_APP },
  [-373]: {
    what: 'FYERS denies this app access: it lacks a permission',
    fix: "give the app the permission in FYERS' API dashboard",
  },
}
/**
 * FYERS objects to the request itself. During a refresh these codes most likely mean that refresh was
 * withdrawn.
 */
const REQUEST_REFUSALS: readonly number[] = [-374, -441, -50, -99, -300]
const RATE_LIMIT_CODES: readonly number[] = [-429, -353]
const PASSING_CODES: readonly number[] = [-96, -201, -202, -204, -205]

export const ErrorReply = z.object({ s: z.string(), code: z.optional(z.number()) })
/**
 * The error for a FYERS reply that is no success. Reads the body first, since FYERS reports failures under
 * varying statuses (README, Errors).
 */
export function fyersError(
  reply: BrokerReply,
  spends: Spends,
  during: 'refresh' | 'exchange' | 'read',
): TokenkeeperError {
  const code = ErrorReply.safeParse(reply.json).data?.code
  if (code === undefined || reply.status >= 500) return errorByStatus(FYERS, reply, spends)
  const details = { brokerCode: String(code) }
  if (RATE_LIMIT_CODES.includes(code)) {
    return new RateLimitedError('FYERS throttles us', { ...details, retryAfterSeconds: 60, fix: WAIT_OUT })
  }
  if (PASSING_CODES.includes(code)) return errorByStatus(FYERS, { ...reply, status: 503 }, spends)
  // A refusal of the app says nothing about the grant: a login by the same app would fail too.
  const isRefused = REQUEST_REFUSALS.includes(code) && during !== 'refresh'
  const refusedApp = isRefused ? REFUSES_REQUEST : APP_REFUSALS[code]
  if (refusedApp) return new ClientRejectedError(refusedApp.what, { ...details, fix: refusedApp.fix })
  if (during === 'exchange') {
    return new GrantRejectedError('FYERS refused the authorization code: wrong, too old or used before', {
      ...details,
      fix: 'log in at FYERS again',
    })
  }
  if (during === 'refresh' || DEAD_CODES.includes(code)) {
    // During a refresh any unknown code counts as a refusal: it may be a wrong PIN, or refresh was withdrawn
    // (README, Uncertain).
    if (during !== 'refresh') {
      return new GrantRejectedError('FYERS says the token is dead', { ...details, fix: 'log in at FYERS' })
    }
    if (code === REFRESH_TOKEN_REFUSED) {
      const suspects = ['refresh_token'] as const
      const what = 'FYERS refused the refresh token'
      return new GrantRejectedError(what, { ...details, suspects, fix: 'log in at FYERS' })
    }
    const what =
      'FYERS refused the refresh token or its PIN: the PIN is a suspect and is not sent again until it is stored anew ' +
      '(tokenkeeper put {account} pin)'
    return new GrantRejectedError(what, { ...details, suspects: ['pin'], fix: 'log in at FYERS' })
  }
  return new UnexpectedResponseError('FYERS answered with an unknown error code', {
    ...details,
    status: reply.status,
    fix: 'report it: FYERS may have changed its replies; the stored token was kept',
  })
}
