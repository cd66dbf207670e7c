import type { RefusalRule } from '../../ports/broker/broker-api.ts'
import { field } from '../shared/field.ts'

/**
 * "Token not valid" and "unauthorized access": both are about the token that was presented (README, Errors).
 */
export const IIFL_DEAD_TOKEN_CODES: readonly string[] = ['EC044', 'EC075']
const DEAD_TOKEN = new RegExp(`\\b(?:${IIFL_DEAD_TOKEN_CODES.join('|')})\\b`)

/**
 * The code is the `status` of the body, or stands in the message of a `Not_Ok`; the HTTP status may be 200.
 */
export const iiflRefusal: RefusalRule = {
  saidInBodyOf: 'any',
  isRefusal({ status }, body) {
    const said = `${field(body, 'status')} ${field(body, 'status') === 'Not_Ok' ? field(body, 'message') : ''}`
    return status === 401 || DEAD_TOKEN.test(said)
  },
}
