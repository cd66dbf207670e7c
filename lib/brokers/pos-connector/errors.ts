import {
  ClientRejectedError,
  ConfigurationError,
  GrantRejectedError,
  HumanActionError,
  RateLimitedError,
  type TokenkeeperError,
  WAIT_OUT,
} from '../../model/errors.ts'
import { type BrokerReply, errorByStatus, retryAfter } from '../shared/call.ts'
import { isLoginPage, saysDeadToken } from './dead-token.ts'
import type { PosPath } from './path.ts'

export const POS = 'POS Connector'

/** Seconds; a longer Retry-After is cut to this (README, Errors). */
const LONGEST_RETRY_AFTER_S = 300
const SETUP = 'tokenkeeper setup {account}'

/**
 * The error for a refused login (README, Errors). Laravel answers with a status and prose, in debug mode with
 * a stack trace, so nothing of the body is repeated.
 */
export function loginError(reply: BrokerReply): TokenkeeperError {
  const { status } = reply
  if (isWrongAddress(reply)) return wrongAddress('login', reply)
  // A 200 without a token is a refusal too. It followed a password, which is not sent again (README, Errors).
  if (status === 401 || status === 422 || (status < 300 && reply.bodyKind === 'json')) {
    return new HumanActionError(`${POS} refuses the stored e-mail or password`, {
      problem: 'wrong_secret',
      suspects: ['email', 'password', 'base_url'],
      fix: `store the right e-mail and password: ${SETUP}`,
    })
  }
  if (status === 403) {
    return new HumanActionError(`${POS} does not let this user log in`, {
      problem: 'account',
      fix: 'have the e-mail address verified and the user enabled at the backend',
    })
  }
  if (status === 503) {
    const seconds = retryAfter(reply)
    if (seconds !== undefined) return throttled(seconds, 'is in maintenance and asks us to wait')
  }
  if (status >= 400 && status < 500 && reply.bodyKind === 'json') {
    // A password was sent, so an unknown refusal is not repeated (lib/brokers/README.md, Errors, rule 5).
    return new HumanActionError(`${POS} answered a login with ${status}`, {
      problem: 'account',
      fix: `ask the backend's operator what it wants from a login; then run ${SETUP}`,
    })
  }
  return errorByStatus(POS, reply, 'nothing')
}

/** The error for a refused call with a token (README, Errors). */
export function readError(reply: BrokerReply, path: PosPath): TokenkeeperError {
  if (reply.status === 401 || leadsToLogin(reply) || saysDead(reply)) {
    return new GrantRejectedError(`${POS} says the token is dead`, {
      fix: 'nothing to do: the next run logs in again',
    })
  }
  if (isWrongAddress(reply)) return wrongAddress(path, reply)
  if (reply.status === 403) {
    return new ClientRejectedError(`${POS} denies this user the right to call it`, {
      fix: `have the right granted at the backend, or check vendor_id: ${SETUP}`,
    })
  }
  return errorByStatus(POS, reply, 'nothing')
}

/** Throws GrantRejectedError for a body that says that the token is dead, under any status below 500. */
export function assertAuthenticated(reply: BrokerReply): void {
  if (saysDead(reply)) throw readError(reply, 'me')
}

/** The error for a wait the backend asks for, in seconds; a longer one is cut to five minutes. */
export function throttled(seconds: number, what = 'throttles us'): RateLimitedError {
  const retryAfterSeconds = Math.min(Math.ceil(seconds), LONGEST_RETRY_AFTER_S)
  return new RateLimitedError(`${POS} ${what} (${retryAfterSeconds} s)`, {
    retryAfterSeconds,
    fix: WAIT_OUT,
  })
}

/**
 * Whether the address is not that of the API: a web page, a redirect, no such route, or a route behind the
 * CSRF check.
 */
function isWrongAddress({ status, bodyKind }: BrokerReply): boolean {
  if (status >= 500) return false
  return bodyKind === 'html' || (status >= 300 && status < 400) || [404, 405, 419].includes(status)
}

function wrongAddress(path: PosPath, { status, bodyKind }: BrokerReply): ConfigurationError {
  const what = bodyKind === 'html' ? `${status} with a web page` : `${status}`
  return new ConfigurationError(
    `base_url or the option "paths.${path}" is not right: ${POS} answers ${what}`,
    {
      fix: `correct it with ${SETUP}: the address of the API's route, not of a web page`,
    },
  )
}

function saysDead({ status, json }: BrokerReply): boolean {
  return status < 500 && saysDeadToken(json)
}

function leadsToLogin({ status, headers }: BrokerReply): boolean {
  return status >= 300 && status < 400 && isLoginPage(headers['location'])
}
