import type { RefusalRule } from '../../ports/broker/broker-api.ts'
import type { ReplyHead } from './reply-head.ts'

/** Of a broker that has no other way to say that it does not take the access token. */
export const REFUSED_BY_STATUS: RefusalRule = { isRefusal: ({ status }) => status === 401 }

/** An error under a status that is no error is short. */
const LONGEST_ERROR_UNDER_200 = 1_024

/** Whether the body has to be looked at to know whether the token was refused, from status and headers alone. */
export function looksAtBody({ saidInBodyOf = [] }: RefusalRule, head: ReplyHead): boolean {
  return saidInBodyOf === 'any' ? mayBeError(head) : saidInBodyOf.includes(head.status)
}

function mayBeError({ status, isJson, contentLength }: ReplyHead): boolean {
  if (!isJson || status >= 500) return false
  return status >= 400 || contentLength === undefined || contentLength <= LONGEST_ERROR_UNDER_200
}
