import type { RefusalRule } from '../../ports/broker/broker-api.ts'
import { field } from '../shared/field.ts'

/** `code` of a body: -8 expired, -15 data routes, -16 trading routes, -17 invalid (README, Errors). */
export const FYERS_DEAD_TOKEN_CODES: readonly unknown[] = [-8, -15, -16, -17]

/** An error with another code says that the token is accepted, even under status 401. */
export const fyersRefusal: RefusalRule = {
  saidInBodyOf: 'any',
  isRefusal({ status }, body) {
    const code = field(body, 'code')
    if (typeof code === 'number' && field(body, 's') === 'error') return FYERS_DEAD_TOKEN_CODES.includes(code)
    return status === 401
  },
}
