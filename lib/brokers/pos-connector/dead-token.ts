import type { RefusalRule } from '../../ports/broker/broker-api.ts'
import { field } from '../shared/field.ts'

/** What Laravel's guards and the JWT packages say of a dead token under another status, 200 included (README, Errors). */
const DEAD_TOKEN_WORDS =
  /^(unauthenticated\.?|token_(expired|invalid|not_provided|blacklisted)|token has expired)$/i
/** The fields they say it in. */
const TELLING = ['message', 'error', 'code'] as const
/** Laravel sends guests there where it does not take the call for one of an API: it means the same as 401. */
const LOGIN_PAGE = /\/login\/?$/

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
