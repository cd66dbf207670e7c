import type { RefusalRule } from '../../ports/broker/broker-api.ts'
import { field } from '../shared/field.ts'

/**
 * How Laravel's guards and the JWT packages name a dead token under a status other than 401, 200 included
 * (README, Errors).
 */
const DEAD_TOKEN_WORDS =
  /^(unauthenticated\.?|token_(expired|invalid|not_provided|blacklisted)|token has expired)$/i
/** The fields of the body that have these words. */
const TELLING = ['message', 'error', 'code'] as const
/**
 * Where Laravel does not recognise an API call, it redirects a guest to this page: that means the same as
 * 401.
 */
const LOGIN_PAGE = /\/login\/?$/

/** Whether a body says that the token is dead. */
export function saysDeadToken(body: unknown): boolean {
  return TELLING.some((name) => DEAD_TOKEN_WORDS.test(String(field(body, name)).trim()))
}

/** Whether the address of a redirect is that of the login page. */
export function isLoginPage(location: string | undefined): boolean {
  return LOGIN_PAGE.test(location?.split(/[?#]/, 1)[0] ?? '')
}

export const posRefusal: RefusalRule = {
  saidInBodyOf: 'any',
  isRefusal: (reply, body) =>
    reply.status === 401 ||
    (reply.status === 302 && isLoginPage(reply.header('location'))) ||
    saysDeadToken(body),
}
