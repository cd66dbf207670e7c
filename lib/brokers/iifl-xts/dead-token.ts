import type { RefusalRule } from '../../ports/broker/broker-api.ts'
import { field } from '../shared/field.ts'

/** README, Errors: both come with HTTP 400. */
export const XTS_DEAD_TOKEN_CODES: readonly unknown[] = ['e-session-0007', 'e-session-0002']

export const xtsRefusal: RefusalRule = {
  saidInBodyOf: [400],
  isRefusal: ({ status }, body) => status === 401 || XTS_DEAD_TOKEN_CODES.includes(field(body, 'code')),
}
