import * as z from 'zod/mini'
import {
  ClientRejectedError,
  ConfigurationError,
  GrantRejectedError,
  RateLimitedError,
  type TokenkeeperError,
  UnexpectedResponseError,
  WAIT_OUT,
} from '../../model/errors.ts'
import { type BrokerReply, errorByStatus } from '../shared/call.ts'
import { XTS_DEAD_TOKEN_CODES } from './dead-token.ts'

export const XTS = 'IIFL XTS'

/** Seconds to wait after e-apirl-0004 (README, Limits). */
const XTS_RATE_LIMIT_S = 60

// README, Errors. The codes come with HTTP 400, so the status says little.
const CLIENT_CODES: readonly string[] = ['e-token-0002', 'e-session-0004']
const RATE_LIMIT_CODE = 'e-apirl-0004'

/** Rate-limit errors are sometimes nested under `data`. */
const ErrorReply = z.object({
  code: z.catch(z.optional(z.string()), undefined),
  data: z.catch(z.optional(z.object({ code: z.string() })), undefined),
})

/**
 * The error for an XTS reply that is no success. Reads the body first, but a status of 500 and above is a
 * passing fault whatever the body says (README, Errors).
 */
export function xtsError(reply: BrokerReply, during: 'login' | 'read'): TokenkeeperError {
  if (reply.status >= 500) return errorByStatus(XTS, reply, 'nothing')
  const { data } = ErrorReply.safeParse(reply.json)
  const code = data?.code ?? data?.data?.code
  if (code === undefined) return errorWithoutCode(reply, during)
  const details = { brokerCode: code }
  if (code === RATE_LIMIT_CODE || data?.data?.code === RATE_LIMIT_CODE) {
    return new RateLimitedError(`${XTS} throttles us`, {
      ...details,
      retryAfterSeconds: XTS_RATE_LIMIT_S,
      fix: WAIT_OUT,
    })
  }
  if (during === 'login') return keysRefused(details)
  if (CLIENT_CODES.includes(code)) {
    return new ClientRejectedError(`${XTS} does not accept how we present the token`, {
      ...details,
      fix: 'check the option "api" and the host: each product has tokens of its own',
    })
  }
  if (XTS_DEAD_TOKEN_CODES.includes(code) || reply.status === 401) return deadToken(details)
  return new UnexpectedResponseError(`${XTS} answered with an unknown error code`, {
    ...details,
    status: reply.status,
    fix: 'report it: the broker may have changed its replies; the stored token was kept',
  })
}

function errorWithoutCode(reply: BrokerReply, during: 'login' | 'read'): TokenkeeperError {
  if (reply.status === 401) return during === 'login' ? keysRefused({}) : deadToken({})
  const redirected = reply.status >= 300 && reply.status < 400
  if (redirected || reply.status === 404 || reply.bodyKind === 'html')
    return hostGone(`it answers ${reply.status}`)
  return errorByStatus(XTS, reply, 'nothing')
}

function keysRefused(details: { readonly brokerCode?: string }): ClientRejectedError {
  return new ClientRejectedError(`${XTS} refuses the app key, the secret key or the app`, {
    ...details,
    fix: 'check both keys, and that they belong to the API of this account: tokenkeeper setup {account}',
  })
}

function deadToken(details: { readonly brokerCode?: string }): GrantRejectedError {
  return new GrantRejectedError(`${XTS} says the token is dead`, {
    ...details,
    fix: 'nothing to do: the next run logs in again',
  })
}

/**
 * The error where the host is not found or is another one: IIFL is expected to close this interface one day
 * (README, Limits).
 */
export function hostGone(why: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError(`the host of ${XTS} is gone or is another one: ${why}`, {
    ...(cause !== undefined && { cause }),
    fix: 'ask IIFL for the address of its XTS interface and set it as host IIFL_XTS_API; if it was closed, use broker iifl',
  })
}
