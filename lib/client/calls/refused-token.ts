import type { RefusalRule } from '../../ports/broker/broker-api.ts'
import type { ReplyHead } from './reply-head.ts'

/** The rule for a broker that refuses a token by the status alone. */
export const REFUSED_BY_STATUS: RefusalRule = { isRefusal: ({ status }) => status === 401 }

/** Bytes; an error under a status of success is shorter. */
const LONGEST_ERROR_UNDER_200 = 1_024

/** Whether the body has to be read to know whether the token was refused, by status and headers. */
export function looksAtBody({ saidInBodyOf = [] }: RefusalRule, head: ReplyHead): boolean {
  return saidInBodyOf === 'any' ? mayBeError(head) : saidInBodyOf.includes(head.status)
}

function mayBeError({ status, isJson, contentLength }: ReplyHead): boolean {
  if (!isJson || status >= 500) return false
  return status >= 400 || contentLength === undefined || contentLength <= LONGEST_ERROR_UNDER_200
}
